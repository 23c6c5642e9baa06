#include "cel/parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "cel/lexer.h"
#include "cel/macros.h"

namespace zhitui::cel {
namespace {

struct Binary {
  int precedence = 0;
  Operator op = Operator::kFunction;
};

Binary BinaryOf(Tok tok) {
  switch (tok) {
    case Tok::kOrOr:
      return {1, Operator::kOr};
    case Tok::kAndAnd:
      return {2, Operator::kAnd};
    case Tok::kEqual:
      return {3, Operator::kEqual};
    case Tok::kNotEqual:
      return {3, Operator::kNotEqual};
    case Tok::kLess:
      return {3, Operator::kLess};
    case Tok::kLessEqual:
      return {3, Operator::kLessEqual};
    case Tok::kGreater:
      return {3, Operator::kGreater};
    case Tok::kGreaterEqual:
      return {3, Operator::kGreaterEqual};
    case Tok::kIn:
      return {3, Operator::kIn};
    case Tok::kPlus:
      return {4, Operator::kAdd};
    case Tok::kMinus:
      return {4, Operator::kSubtract};
    case Tok::kStar:
      return {5, Operator::kMultiply};
    case Tok::kSlash:
      return {5, Operator::kDivide};
    case Tok::kPercent:
      return {5, Operator::kModulo};
    default:
      return {};
  }
}

class Parser {
 public:
  Parser(const Source& source, const Limits& limits, Reporter& reporter)
      : limits_(limits), reporter_(reporter), ast_(std::make_unique<Ast>()), tokens_(Tokenize(source.text, reporter)) {}

  std::unique_ptr<Ast> Run() {
    if (Is(Tok::kEnd)) {
      reporter_.Report(Here(), "syntax", "there is no expression here", "write a condition, for example age >= 70");
      return nullptr;
    }
    ast_->root = ParseExpr();
    if (!fatal_ && !Is(Tok::kEnd)) Unexpected("an operator");
    return fatal_ ? nullptr : std::move(ast_);
  }

 private:
  const Token& Now() const { return tokens_[at_]; }
  const Token& Ahead(std::size_t n) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }
  bool Is(Tok kind) const { return Now().kind == kind; }
  Span Here() const { return Now().span; }
  std::uint32_t LastEnd() const { return at_ == 0 ? 0 : tokens_[at_ - 1].span.end; }
  void Advance() {
    if (!Is(Tok::kEnd)) ++at_;
  }
  bool Eat(Tok kind) {
    if (!Is(kind)) return false;
    Advance();
    return true;
  }

  void Fatal(Span at, std::string message, std::string hint) {
    if (!fatal_) reporter_.Report(at, "limit", std::move(message), std::move(hint));
    fatal_ = true;
    at_ = tokens_.size() - 1;
  }

  Expr* New(ExprKind kind, Span span) {
    if (ast_->nodes.size() >= limits_.nodes) {
      Fatal(span, "the expression has more than " + std::to_string(limits_.nodes) + " parts", "split it with let");
    }
    Expr& e = ast_->nodes.emplace_back();
    e.kind = kind;
    e.span = span;
    e.name_span = span;
    return &e;
  }

  // Called once the children are in place.
  Expr* Seal(Expr* e) {
    std::uint32_t depth = 0;
    for (const Expr* a : e->args) {
      if (a != nullptr) depth = std::max<std::uint32_t>(depth, a->depth);
    }
    e->depth = static_cast<std::uint16_t>(std::min<std::uint32_t>(depth + 1, 0xFFFF));
    if (e->depth > limits_.depth) TooDeep(e->span);
    return e;
  }
  void TooDeep(Span at) {
    Fatal(at, "the expression is nested more than " + std::to_string(limits_.depth) + " levels deep",
          "name a part of it with let");
  }

  std::string Describe(const Token& t) const {
    if (t.kind == Tok::kEnd) return "the end of the expression";
    return "`" + reporter_.Quote(t.span, "a long text") + "`";
  }

  // Reports that something else was expected here, and moves to where reading can go on.
  void Unexpected(const std::string& expected) {
    if (fatal_) return;
    const Token& t = Now();
    std::string hint;
    if (t.kind == Tok::kIdent) {
      if (t.text == "and" || t.text == "AND") hint = "write &&";
      if (t.text == "or" || t.text == "OR") hint = "write ||";
      if (t.text == "not" || t.text == "NOT") hint = "write !";
    }
    if (t.kind != Tok::kBad) {
      reporter_.Report(t.span, "syntax", "expected " + expected + ", found " + Describe(t), std::move(hint));
    }
    int nested = 0;
    for (; !Is(Tok::kEnd); Advance()) {
      const Tok k = Now().kind;
      if (k == Tok::kLeftParen || k == Tok::kLeftBracket || k == Tok::kLeftBrace) ++nested;
      const bool closing = k == Tok::kRightParen || k == Tok::kRightBracket || k == Tok::kRightBrace;
      if (nested == 0 && (closing || k == Tok::kComma || k == Tok::kColon || k == Tok::kAndAnd || k == Tok::kOrOr)) {
        return;
      }
      if (closing) --nested;
    }
  }

  bool Expect(Tok kind, const std::string& what) {
    if (Eat(kind)) return true;
    Unexpected(what);
    return Eat(kind);
  }

  void Close(Tok closing, char opened, char missing) {
    if (Eat(closing) || fatal_) return;
    if (!Is(Tok::kEnd)) Unexpected(std::string("`") + missing + "`");
    if (!Eat(closing) && Is(Tok::kEnd) && !fatal_) {
      reporter_.Report(Here(), "syntax", std::string("a `") + opened + "` is not closed",
                       std::string("write `") + missing + "` here");
    }
  }

  Expr* ParseExpr() {
    if (++nesting_ > limits_.depth) TooDeep(Here());
    Expr* e = ParseBinary(1);
    if (Is(Tok::kQuestion) && !fatal_) {
      Expr* call = New(ExprKind::kCall, e->span);
      call->op = Operator::kConditional;
      call->name_span = Here();
      Advance();
      Expr* yes = ParseBinary(1);
      Expr* no = nullptr;
      if (Expect(Tok::kColon, "`:` and what holds otherwise")) {
        no = ParseExpr();
      } else {
        no = New(ExprKind::kError, Here());
      }
      call->args = {e, yes, no};
      call->span.end = no->span.end;
      e = Seal(call);
    }
    --nesting_;
    return e;
  }

  Expr* ParseBinary(int least) {
    Expr* left = ParseUnary();
    for (;;) {
      const Binary b = BinaryOf(Now().kind);
      if (b.precedence < least || fatal_) {
        if (!fatal_ && least == 1 && Is(Tok::kIdent) &&
            (Now().text == "and" || Now().text == "or" || Now().text == "AND" || Now().text == "OR")) {
          Unexpected("an operator");
          if (BinaryOf(Now().kind).precedence >= least) continue;
        }
        return left;
      }
      const Span op_span = Here();
      Advance();
      Expr* right = ParseBinary(b.precedence + 1);
      // A chain of one logical operator is one node, however long it is.
      const bool chain = b.op == Operator::kAnd || b.op == Operator::kOr;
      if (chain && left->kind == ExprKind::kCall && left->op == b.op) {
        left->args.push_back(right);
        left->span.end = right->span.end;
        Seal(left);
        continue;
      }
      Expr* call = New(ExprKind::kCall, {left->span.start, right->span.end});
      call->op = b.op;
      call->name_span = op_span;
      call->args = {left, right};
      left = Seal(call);
    }
  }

  Expr* ParseUnary() {
    if (Is(Tok::kNot) || (Is(Tok::kMinus) && Ahead(1).kind != Tok::kInt && Ahead(1).kind != Tok::kDouble)) {
      const Span at = Here();
      const Operator op = Is(Tok::kNot) ? Operator::kNot : Operator::kNegate;
      Advance();
      if (++nesting_ > limits_.depth) TooDeep(at);
      Expr* operand = ParseUnary();
      --nesting_;
      Expr* call = New(ExprKind::kCall, {at.start, operand->span.end});
      call->op = op;
      call->name_span = at;
      call->args = {operand};
      return Seal(call);
    }
    return ParseMember();
  }

  Expr* ParseMember() {
    Expr* e = ParsePrimary();
    while (!fatal_) {
      if (Is(Tok::kDot)) {
        Advance();
        e = ParseSelect(e);
      } else if (Is(Tok::kLeftBracket)) {
        e = ParseIndex(e);
      } else if (Is(Tok::kLeftBrace) && e->kind != ExprKind::kError && !QualifiedName(*e, nullptr).empty()) {
        reporter_.Report({e->span.start, Here().end}, "syntax", "messages cannot be built here",
                         "write a map: {\"key\": value}");
        Advance();
        SkipPast(Tok::kRightBrace);
        e->kind = ExprKind::kError;
      } else {
        break;
      }
    }
    return e;
  }

  void SkipPast(Tok closing) {
    int nested = 0;
    for (; !Is(Tok::kEnd); Advance()) {
      if (Is(Tok::kLeftBrace)) ++nested;
      if (Is(closing) && nested-- == 0) {
        Advance();
        return;
      }
    }
  }

  Expr* ParseSelect(Expr* operand) {
    const bool optional = Eat(Tok::kQuestion);
    const Token name = Now();
    const bool word = name.kind == Tok::kIdent && name.text != "true" && name.text != "false" && name.text != "null";
    if (!word && name.kind != Tok::kQuotedIdent) {
      Unexpected("a field or function name after the dot");
      return New(ExprKind::kError, operand->span);
    }
    Advance();
    if (Is(Tok::kLeftParen) && !optional && name.kind == Tok::kIdent) {
      Expr* call = New(ExprKind::kCall, operand->span);
      call->name = name.text;
      call->name_span = name.span;
      call->member = true;
      call->args.push_back(operand);
      ParseArguments(call);
      return Finish(call);
    }
    Expr* select = New(ExprKind::kSelect, {operand->span.start, name.span.end});
    select->name = name.text;
    select->name_span = name.span;
    select->optional = optional;
    select->args = {operand};
    return Seal(select);
  }

  Expr* ParseIndex(Expr* operand) {
    const Span bracket = Here();
    Advance();
    const bool optional = Eat(Tok::kQuestion);
    Expr* index = ParseExpr();
    Expr* call = New(ExprKind::kCall, operand->span);
    call->op = optional ? Operator::kOptIndex : Operator::kIndex;
    call->name_span = bracket;
    call->args = {operand, index};
    Close(Tok::kRightBracket, '[', ']');
    call->span.end = LastEnd();
    return Seal(call);
  }

  // At the opening parenthesis.
  void ParseArguments(Expr* call) {
    Advance();
    while (!Is(Tok::kRightParen) && !Is(Tok::kEnd)) {
      call->args.push_back(ParseExpr());
      if (!Eat(Tok::kComma)) {
        if (!Is(Tok::kRightParen) && !Is(Tok::kEnd)) {
          Unexpected("`,` or `)`");
          if (Eat(Tok::kComma)) continue;
          if (Is(Tok::kRightBracket) || Is(Tok::kRightBrace) || Is(Tok::kColon)) Advance();
        }
        break;
      }
      if (Is(Tok::kRightParen)) {
        Unexpected("another argument after the comma");
        break;
      }
    }
    Close(Tok::kRightParen, '(', ')');
    call->span.end = LastEnd();
  }

  // A finished call: a macro becomes its node.
  Expr* Finish(Expr* call) {
    ExpandMacro(*call, reporter_);
    return Seal(call);
  }

  Expr* ParsePrimary() {
    const Token t = Now();
    switch (t.kind) {
      case Tok::kInt:
      case Tok::kUint:
      case Tok::kDouble:
        Advance();
        return Number(t, false, t.span);
      case Tok::kMinus: {  // directly before a number: part of the literal
        Advance();
        const Token number = Now();
        Advance();
        return Number(number, true, {t.span.start, number.span.end});
      }
      case Tok::kString:
      case Tok::kBytes: {
        Advance();
        const std::string_view text = ast_->arena.Copy(t.text);
        return Constant(t.kind == Tok::kString ? Value::String(text) : Value::Bytes(text), t.span);
      }
      case Tok::kIdent:
        return ParseName(false, t.span.start);
      case Tok::kDot:
        Advance();
        if (Is(Tok::kIdent)) return ParseName(true, t.span.start);
        Unexpected("a name after the dot");
        return New(ExprKind::kError, t.span);
      case Tok::kLeftParen: {
        Advance();
        Expr* inner = ParseExpr();
        Close(Tok::kRightParen, '(', ')');
        return inner;
      }
      case Tok::kLeftBracket:
        return ParseList();
      case Tok::kLeftBrace:
        return ParseMap();
      default: {
        Expr* e = New(ExprKind::kError, t.span);
        if (t.kind == Tok::kBad) {
          // Reported already; what follows may be the value that was meant.
          while (Is(Tok::kBad)) Advance();
          const Tok k = Now().kind;
          const bool value = k == Tok::kInt || k == Tok::kUint || k == Tok::kDouble || k == Tok::kString ||
                             k == Tok::kBytes || k == Tok::kIdent;
          if (value) return ParsePrimary();
        } else {
          Unexpected("a value");
        }
        return e;
      }
    }
  }

  Expr* ParseName(bool rooted, std::uint32_t start) {
    const Token t = Now();
    Advance();
    const Span span{start, t.span.end};
    if (!rooted) {
      if (t.text == "true" || t.text == "false") return Constant(Value::Bool(t.text == "true"), span);
      if (t.text == "null") return Constant(Value::Null(), span);
    }
    if (IsReserved(t.text) || (rooted && (t.text == "true" || t.text == "false" || t.text == "null"))) {
      reporter_.Report(t.span, "reserved-word", "`" + t.text + "` is a reserved word of CEL", "choose another name");
      Expr* e = New(ExprKind::kError, span);
      if (Is(Tok::kLeftParen)) {
        ParseArguments(e);
        e->args.clear();
      }
      return e;
    }
    if (Is(Tok::kLeftParen)) {
      Expr* call = New(ExprKind::kCall, span);
      call->name = t.text;
      call->name_span = t.span;
      call->rooted = rooted;
      ParseArguments(call);
      return Finish(call);
    }
    Expr* e = New(ExprKind::kIdent, span);
    e->name = t.text;
    e->rooted = rooted;
    return e;
  }

  Expr* ParseList() {
    Expr* list = New(ExprKind::kList, Here());
    Advance();
    bool any_optional = false;
    while (!Is(Tok::kRightBracket) && !Is(Tok::kEnd)) {
      const bool optional = Eat(Tok::kQuestion);
      any_optional |= optional;
      list->optional_entries.push_back(optional);
      list->args.push_back(ParseExpr());
      if (Eat(Tok::kComma)) continue;
      if (!Is(Tok::kRightBracket) && !Is(Tok::kEnd)) {
        Unexpected("`,` or `]`");
        if (Eat(Tok::kComma)) continue;
      }
      break;
    }
    Close(Tok::kRightBracket, '[', ']');
    if (!any_optional) list->optional_entries.clear();
    list->span.end = LastEnd();
    return Seal(list);
  }

  Expr* ParseMap() {
    Expr* map = New(ExprKind::kMap, Here());
    Advance();
    bool any_optional = false;
    while (!Is(Tok::kRightBrace) && !Is(Tok::kEnd)) {
      const bool optional = Eat(Tok::kQuestion);
      any_optional |= optional;
      map->optional_entries.push_back(optional);
      map->args.push_back(ParseExpr());
      if (Expect(Tok::kColon, "`:` and a value")) {
        map->args.push_back(ParseExpr());
      } else {
        map->args.push_back(New(ExprKind::kError, Here()));
      }
      if (Eat(Tok::kComma)) continue;
      if (!Is(Tok::kRightBrace) && !Is(Tok::kEnd)) {
        Unexpected("`,` or `}`");
        if (Eat(Tok::kComma)) continue;
      }
      break;
    }
    Close(Tok::kRightBrace, '{', '}');
    if (!any_optional) map->optional_entries.clear();
    map->span.end = LastEnd();
    return Seal(map);
  }

  Expr* Constant(const Value& v, Span span) {
    Expr* e = New(ExprKind::kConst, span);
    e->constant = v;
    return e;
  }

  Expr* Number(const Token& t, bool negative, Span span) {
    if (t.kind == Tok::kBad) return New(ExprKind::kError, span);
    if (t.kind == Tok::kDouble) {
      double v = 0;
      const auto r = std::from_chars(t.text.data(), t.text.data() + t.text.size(), v);
      if (r.ec == std::errc::result_out_of_range) {
        // Too small becomes zero as IEEE 754 rounds it; too large is a slip.
        const std::size_t e = t.text.find_first_of("eE");
        const bool tiny = e != std::string::npos && t.text.find('-', e) != std::string::npos;
        if (!tiny) {
          reporter_.Report(span, "bad-literal", "this number does not fit a double");
          return New(ExprKind::kError, span);
        }
        v = 0;
      }
      return Constant(Value::Double(negative ? -v : v), span);
    }
    const bool hex = t.text.size() > 2 && (t.text[1] == 'x' || t.text[1] == 'X');
    std::uint64_t v = 0;
    const char* from = t.text.data() + (hex ? 2 : 0);
    const auto r = std::from_chars(from, t.text.data() + t.text.size(), v, hex ? 16 : 10);
    constexpr std::uint64_t kTwo63 = std::uint64_t{1} << 63;
    if (t.kind == Tok::kUint) {
      if (r.ec != std::errc()) {
        reporter_.Report(span, "bad-literal", "this number does not fit a uint (0 to 18446744073709551615)");
        return New(ExprKind::kError, span);
      }
      return Constant(Value::Uint(v), span);
    }
    if (r.ec != std::errc() || v > kTwo63 || (v == kTwo63 && !negative)) {
      reporter_.Report(span, "bad-literal",
                       "this number does not fit an int (-9223372036854775808 to 9223372036854775807)",
                       "codes such as 440300 are texts: put them in quotes");
      return New(ExprKind::kError, span);
    }
    return Constant(Value::Int(static_cast<std::int64_t>(negative ? std::uint64_t{0} - v : v)), span);
  }

  const Limits& limits_;
  Reporter& reporter_;
  std::unique_ptr<Ast> ast_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
  bool fatal_ = false;
};

}  // namespace

std::unique_ptr<Ast> Parse(const Source& source, const Limits& limits, Reporter& reporter) {
  if (source.text.size() > limits.source_bytes) {
    reporter.Report({0, 1}, "limit", "the expression is longer than " + std::to_string(limits.source_bytes) + " bytes",
                    "split it with let");
    return nullptr;
  }
  if (!IsValidUtf8(source.text)) {
    reporter.Report({0, 1}, "syntax", "the expression is not UTF-8 text", "save the file as UTF-8");
    return nullptr;
  }
  return Parser(source, limits, reporter).Run();
}

}  // namespace zhitui::cel
