#include "cel/edits.h"

#include <algorithm>
#include <optional>

#include "cel/cel.h"
#include "cel/lexer.h"
#include "cel/parser.h"

namespace zhitui::cel {
namespace {

bool Opens(Tok kind) { return kind == Tok::kLeftParen || kind == Tok::kLeftBracket || kind == Tok::kLeftBrace; }
bool Closes(Tok kind) { return kind == Tok::kRightParen || kind == Tok::kRightBracket || kind == Tok::kRightBrace; }

std::vector<Token> Tokens(std::string_view text) {
  const Source source;
  Reporter silent(source, nullptr);
  return Tokenize(text, silent);
}

Span Grow(const std::vector<Token>& tokens, Span at) {
  int open = 0;     // opened in it and not closed
  int missing = 0;  // closed in it and not opened
  std::size_t first = tokens.size();
  std::size_t last = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& t = tokens[i];
    if (t.kind == Tok::kEnd || t.span.start < at.start || t.span.end > at.end) continue;
    first = std::min(first, i);
    last = i;
    if (Opens(t.kind)) ++open;
    if (Closes(t.kind) && --open < 0) {
      open = 0;
      ++missing;
    }
  }
  while (missing-- > 0 && first > 0 && first < tokens.size() && Opens(tokens[first - 1].kind)) {
    at.start = tokens[--first].span.start;
  }
  while (open-- > 0 && last + 1 < tokens.size() && Closes(tokens[last + 1].kind)) at.end = tokens[++last].span.end;
  return at;
}

// The last unit of a number as it is written: 12.50 is 12.49 and 12.51. Empty for what has no such neighbours.
std::vector<std::string> Neighbours(std::string_view number) {
  const std::optional<value::Decimal> d = value::Decimal::Parse(number);
  if (!d) return {};
  std::vector<std::string> out;
  for (const std::int64_t step : {-1, 1}) {
    const std::optional<value::Decimal> next = value::Decimal::Add(*d, {step, d->scale});
    if (next) out.push_back(next->ToString());
  }
  return out;
}

// The text inside the quotes of date("…"), decimal("…") or period("…") one unit off.
std::vector<std::string> NeighboursOf(std::string_view function, const std::string& text) {
  if (function == "decimal") return Neighbours(text);
  std::vector<std::string> out;
  if (function == "date") {
    const Result<Date> day = ParseDate(text);
    for (const int step : {-1, 1}) {
      if (day) out.push_back(FormatDate(*day + std::chrono::days(step)));
    }
  } else if (function == "period") {
    const std::optional<value::Period> period = value::Period::Parse(text);
    for (const int step : {-1, 1}) {
      if (!period) continue;
      value::Period next = *period;
      (next.days != 0 ? next.days : next.months) += step;
      out.push_back(next.ToString());
    }
  }
  return out;
}

class Editor {
 public:
  explicit Editor(const std::string& text) : text_(text), tokens_(Tokens(text)) {}

  std::vector<Edit> Run() {
    Source source;
    source.text = text_;
    Reporter silent(source, nullptr);
    const std::unique_ptr<Ast> ast = Parse(source, Limits(), silent);
    if (ast == nullptr || silent.count() > 0) return {};
    Condition(*ast->root);
    for (std::size_t i = 0; i < tokens_.size(); ++i) Token(i);
    return std::move(out_);
  }

 private:
  // What surrounds an edit: an expression by what it is.
  enum class Part : std::uint8_t { kCondition, kConnective, kNegation };
  struct Around {
    Part part;
    Span span;
  };

  void Note(Part part, const Expr& e) { around_.push_back({part, Grow(tokens_, e.span)}); }

  // An expression that is true or false, or stands alone.
  void Condition(const Expr& e) {
    if (e.kind == ExprKind::kCall && (e.op == Operator::kAnd || e.op == Operator::kOr || e.op == Operator::kNot)) {
      Note(e.op == Operator::kNot ? Part::kNegation : Part::kConnective, e);
      for (const Expr* a : e.args) Condition(*a);
      return;
    }
    Note(Part::kCondition, e);
    Inside(e);
  }

  // Conditions within a larger expression: in the brackets of a macro, between ? and :, in an argument.
  void Inside(const Expr& e) {
    const bool choice = e.kind == ExprKind::kCall && e.op == Operator::kConditional;
    for (std::size_t i = 0; i < e.args.size(); ++i) {
      const Expr* a = e.args[i];
      if (a == nullptr) continue;
      const bool connective =
          a->kind == ExprKind::kCall && (a->op == Operator::kAnd || a->op == Operator::kOr || a->op == Operator::kNot);
      if (choice || connective || (e.kind == ExprKind::kMacro && i > 0)) {
        Condition(*a);
      } else {
        Inside(*a);
      }
    }
  }

  void Add(Edit::Kind kind, Span at, std::string text) {
    const Part part = kind == Edit::Kind::kConnective ? Part::kConnective
                      : kind == Edit::Kind::kNegation ? Part::kNegation
                                                      : Part::kCondition;
    Span best{0, static_cast<std::uint32_t>(text_.size())};
    for (const Around& a : around_) {
      const bool holds = a.part == part && a.span.start <= at.start && at.end <= a.span.end;
      // A negation begins with its sign.
      if (part == Part::kNegation && a.span.start != at.start) continue;
      if (holds && a.span.end - a.span.start <= best.end - best.start) best = a.span;
    }
    out_.push_back({kind, at.start, at.end - at.start, std::move(text), best.start, best.end - best.start});
  }

  void Token(std::size_t i) {
    const cel::Token& t = tokens_[i];
    using Kind = Edit::Kind;
    switch (t.kind) {
      case Tok::kLess:
        return Add(Kind::kBoundary, t.span, "<=");
      case Tok::kLessEqual:
        return Add(Kind::kBoundary, t.span, "<");
      case Tok::kGreater:
        return Add(Kind::kBoundary, t.span, ">=");
      case Tok::kGreaterEqual:
        return Add(Kind::kBoundary, t.span, ">");
      case Tok::kEqual:
        return Add(Kind::kOperator, t.span, "!=");
      case Tok::kNotEqual:
        return Add(Kind::kOperator, t.span, "==");
      case Tok::kAndAnd:
        return Add(Kind::kConnective, t.span, "||");
      case Tok::kOrOr:
        return Add(Kind::kConnective, t.span, "&&");
      case Tok::kNot:
        return Add(Kind::kNegation, t.span, "");
      case Tok::kInt:
      case Tok::kDouble: {
        const Span digits{t.span.start, t.span.start + static_cast<std::uint32_t>(t.text.size())};
        for (std::string& next : Neighbours(t.text)) Add(Kind::kConstant, digits, std::move(next));
        return;
      }
      case Tok::kIdent:
        if (t.text == "true" || t.text == "false") {
          Add(Kind::kConstant, t.span, t.text == "true" ? "false" : "true");
        }
        return;
      case Tok::kString:
        if (i >= 2 && tokens_[i - 1].kind == Tok::kLeftParen && tokens_[i - 2].kind == Tok::kIdent) {
          for (std::string& next : NeighboursOf(tokens_[i - 2].text, t.text)) {
            Add(Kind::kConstant, {t.span.start + 1, t.span.end - 1}, std::move(next));
          }
        }
        return;
      case Tok::kIn:
        return List(i + 1);
      default:
        return;
    }
  }

  // The texts of the list that begins with token `i`, each with one of its commas.
  void List(std::size_t i) {
    if (tokens_[i].kind != Tok::kLeftBracket) return;
    for (++i; tokens_[i].kind == Tok::kString; i += 2) {
      const bool first = tokens_[i - 1].kind == Tok::kLeftBracket;
      const bool last = tokens_[i + 1].kind == Tok::kRightBracket;
      if (!last && tokens_[i + 1].kind != Tok::kComma) return;
      Span at = tokens_[i].span;
      if (!first) {
        at.start = tokens_[i - 1].span.start;
      } else if (!last) {
        at.end = tokens_[i + 2].span.start;
      }
      Add(Edit::Kind::kConstant, at, "");
      if (last) return;
    }
  }

  const std::string& text_;
  std::vector<cel::Token> tokens_;
  std::vector<Around> around_;
  std::vector<Edit> out_;
};

}  // namespace

Span WithBrackets(std::string_view text, Span at) { return Grow(Tokens(text), at); }

std::vector<Edit> Edits(const std::string& text) { return Editor(text).Run(); }

}  // namespace zhitui::cel
