#pragma once

// JSON written member by member into one text. Inside the rules room only.

#include <string>
#include <string_view>

#include "base/base.h"

namespace zhitui::rules {

class JsonWriter {
 public:
  // What follows is the value of this member; the name needs no escapes.
  JsonWriter& Key(std::string_view name) {
    Separate();
    out_ += '"';
    out_ += name;
    out_ += "\":";
    separate_ = false;
    return *this;
  }
  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }
  // A text that is not UTF-8 has U+FFFD for what is not ASCII.
  void String(std::string_view text) {
    if (IsValidUtf8(text)) return Raw(JsonQuote(text));
    std::string ascii;
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x80) {
        ascii += c;
      } else {
        ascii += "\xEF\xBF\xBD";
      }
    }
    Raw(JsonQuote(ascii));
  }
  void Bool(bool v) { Raw(v ? "true" : "false"); }
  void Null() { Raw("null"); }
  void Raw(std::string_view json) {  // one value
    Separate();
    out_ += json;
    separate_ = true;
  }
  std::string Take() { return std::move(out_); }

 private:
  void Separate() {
    if (separate_) out_ += ',';
  }
  void Begin(char c) {
    Separate();
    out_ += c;
    separate_ = false;
  }
  void End(char c) {
    out_ += c;
    separate_ = true;
  }

  std::string out_;
  bool separate_ = false;
};

}  // namespace zhitui::rules
