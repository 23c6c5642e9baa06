#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "value/value.h"

namespace zhitui::value {
namespace {

// Every type ever made, by a key that spells it with the addresses of its parts. Types are few and live for ever.
Type Intern(TypeRep rep) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(rep.tag)));
  key += rep.nullable ? '?' : '!';
  key += static_cast<char>('A' + static_cast<int>(rep.primitive));
  const auto add_pointer = [&key](const void* p) {
    key += std::to_string(reinterpret_cast<std::uintptr_t>(p));
    key += ',';
  };
  add_pointer(rep.key);
  add_pointer(rep.element);
  key += rep.name;
  for (const auto& [name, type] : rep.fields) {
    key += '\n' + name + ':';
    add_pointer(type);
  }
  static std::mutex mutex;
  static auto* const table = new std::map<std::string, std::unique_ptr<const TypeRep>>();
  const std::scoped_lock lock(mutex);
  std::unique_ptr<const TypeRep>& slot = (*table)[key];
  if (slot == nullptr) slot = std::make_unique<const TypeRep>(std::move(rep));
  return slot.get();
}

Type OfTag(TypeRep::Tag tag) {
  TypeRep rep;
  rep.tag = tag;
  return Intern(std::move(rep));
}

Type WithElement(TypeRep::Tag tag, Type key, Type element) {
  TypeRep rep;
  rep.tag = tag;
  rep.key = key;
  rep.element = element;
  return Intern(std::move(rep));
}

}  // namespace

Type Dyn() {
  static const Type type = OfTag(TypeRep::Tag::kDyn);
  return type;
}
Type NullType() {
  static const Type type = OfTag(TypeRep::Tag::kNull);
  return type;
}
Type ErrorType() {
  static const Type type = OfTag(TypeRep::Tag::kError);
  return type;
}
Type Primitive(Kind kind) {
  // Asked for at every step of checking an expression, by several threads: all are made once, and read without a lock.
  static const auto types = [] {
    std::array<Type, static_cast<std::size_t>(Kind::kError) + 1> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
      TypeRep rep;
      rep.tag = TypeRep::Tag::kPrimitive;
      rep.primitive = static_cast<Kind>(i);
      out[i] = Intern(std::move(rep));
    }
    return out;
  }();
  return types[static_cast<std::size_t>(kind)];
}
Type ListOf(Type element) { return WithElement(TypeRep::Tag::kList, nullptr, element); }
Type MapOf(Type key, Type element) { return WithElement(TypeRep::Tag::kMap, key, element); }
Type OptionalOf(Type element) { return WithElement(TypeRep::Tag::kOptional, nullptr, element); }
Type TypeOf(Type element) { return WithElement(TypeRep::Tag::kType, nullptr, element); }
Type TypeParam(std::string name) {
  TypeRep rep;
  rep.tag = TypeRep::Tag::kTypeParam;
  rep.name = std::move(name);
  return Intern(std::move(rep));
}
Type Record(std::string name, std::vector<std::pair<std::string, Type>> fields) {
  TypeRep rep;
  rep.tag = TypeRep::Tag::kRecord;
  rep.name = std::move(name);
  rep.fields = std::move(fields);
  std::sort(rep.fields.begin(), rep.fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return Intern(std::move(rep));
}
Type Abstract(std::string name, std::vector<Type> parts) {
  TypeRep rep;
  rep.tag = TypeRep::Tag::kAbstract;
  rep.name = std::move(name);
  for (const Type part : parts) rep.fields.emplace_back("", part);
  return Intern(std::move(rep));
}
Type Nullable(Type type) {
  if (type->nullable || type->tag == TypeRep::Tag::kDyn || type->tag == TypeRep::Tag::kNull) return type;
  TypeRep rep = *type;
  rep.nullable = true;
  return Intern(std::move(rep));
}

std::string TypeName(Type type) {
  switch (type->tag) {
    case TypeRep::Tag::kDyn:
      return "dyn";
    case TypeRep::Tag::kNull:
      return "null_type";
    case TypeRep::Tag::kPrimitive:
      return KindName(type->primitive);
    case TypeRep::Tag::kList:
      return "list(" + TypeName(type->element) + ")";
    case TypeRep::Tag::kMap:
      return "map(" + TypeName(type->key) + ", " + TypeName(type->element) + ")";
    case TypeRep::Tag::kOptional:
      return "optional_type(" + TypeName(type->element) + ")";
    case TypeRep::Tag::kType:
      return type->element == nullptr ? "type" : "type(" + TypeName(type->element) + ")";
    case TypeRep::Tag::kAbstract: {
      std::string parts;
      for (const auto& [none, part] : type->fields) parts += (parts.empty() ? "" : ", ") + TypeName(part);
      return type->name + "(" + parts + ")";
    }
    case TypeRep::Tag::kRecord:
    case TypeRep::Tag::kTypeParam:
      return type->name;
    case TypeRep::Tag::kError:
      return "error";
  }
  return "error";
}

}  // namespace zhitui::value
