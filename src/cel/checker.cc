#include "cel/checker.h"

#include <algorithm>

#include "cel/constants.h"
#include "cel/functions.h"
#include "cel/messages.h"
#include "cel/scope.h"
#include "cel/unify.h"

namespace zhitui::cel {
namespace {

using value::Kind;
using value::Type;
using Tag = value::TypeRep::Tag;

class Checker {
 public:
  Checker(Ast& ast, const Names& env, const Limits& limits, Reporter& reporter)
      : ast_(ast), env_(env), names_(env), limits_(limits), reporter_(reporter) {}

  Checked Run(Type expected) {
    Expr& root = *ast_.root;
    const bool whole = reporter_.count() == 0;  // a part that could not be read may be what gives the type
    Visit(root);
    if (whole && expected != nullptr && !env_.unchecked && !types_.Assignable(root.type, expected)) {
      const Type got = types_.Close(root.type);
      reporter_.Report(
          root.span, "type-mismatch",
          "this gives " + Article(value::TypeName(got)) + ", but " + Article(value::TypeName(expected)) + " is needed",
          ConversionHint(reporter_, root, got, expected));
    }
    Checked result;
    for (Expr& e : ast_.nodes) {
      if (e.type != nullptr) e.type = types_.Close(e.type);
      result.nodes += 1;
      if (e.ref == Ref::kDeclared) result.nodes += e.declared->nodes - 1;
    }
    result.depth = Depth(root);
    if (result.nodes > limits_.nodes) {
      reporter_.Report(root.span, "limit",
                       "with its lets the expression has " + std::to_string(result.nodes) + " parts, more than " +
                           std::to_string(limits_.nodes),
                       "use a let fewer times, or make it smaller");
    } else if (result.depth > limits_.depth) {
      reporter_.Report(root.span, "limit",
                       "with its lets the expression is nested " + std::to_string(result.depth) +
                           " levels deep, more than " + std::to_string(limits_.depth),
                       "build fewer lets on top of each other");
    }
    return result;
  }

 private:
  std::uint32_t Depth(const Expr& e) const {
    std::uint32_t depth = e.ref == Ref::kDeclared ? e.declared->depth - 1 : 0;
    if (e.ref != Ref::kDeclared) {
      for (const Expr* a : e.args) {
        if (a != nullptr) depth = std::max(depth, Depth(*a));
      }
    }
    return depth + 1;
  }

  void Visit(Expr& e) {
    switch (e.kind) {
      case ExprKind::kError:
        e.type = value::ErrorType();
        break;
      case ExprKind::kConst:
        e.type = ConstantType(e.constant);
        break;
      case ExprKind::kIdent:
        VisitIdent(e);
        break;
      case ExprKind::kSelect:
        VisitSelect(e);
        break;
      case ExprKind::kCall:
        VisitCall(e);
        break;
      case ExprKind::kList:
        VisitList(e);
        break;
      case ExprKind::kMap:
        VisitMap(e);
        break;
      case ExprKind::kMacro:
        VisitMacro(e);
        break;
    }
    if (e.type == nullptr) e.type = value::ErrorType();
  }
  void VisitAll(Expr& e) {
    for (Expr* a : e.args) {
      if (a != nullptr && a->type == nullptr) Visit(*a);
    }
  }

  Type TypeAt(const Expr& e) const { return types_.Resolve(e.type); }
  std::string NameOf(const Expr& e) const { return value::TypeName(types_.Close(e.type)); }

  void Mistake(Expr& e, Span at, std::string code, std::string message, std::string hint = {}) {
    if (env_.unchecked) {
      e.type = value::Dyn();
      return;
    }
    e.type = value::ErrorType();
    reporter_.Report(at, std::move(code), std::move(message), std::move(hint));
  }

  static Type ConstantType(const Value& v) {
    return v.is(Kind::kNull) ? value::NullType() : value::Primitive(v.kind());
  }

  // --- names

  bool ResolveName(Expr& e, const std::string& name, bool rooted) {
    if (std::shared_ptr<const Declaration> d = names_.Lookup(name, rooted)) {
      e.ref = Ref::kDeclared;
      e.type = d->type;
      e.declared = std::move(d);
      return true;
    }
    if (const Type type = Scope::NamedType(name)) {
      e.ref = Ref::kTypeName;
      e.constant = Value::Type(Scope::TypeConstant(name));
      e.type = value::TypeOf(type);
      return true;
    }
    return false;
  }

  void UnknownName(Expr& e, const std::string& name) {
    if (env_.IsGroup(name)) {
      std::vector<std::string> members;
      for (auto it = env_.names.lower_bound(name + "."); it != env_.names.end() && members.size() < 5; ++it) {
        if (!it->first.starts_with(name + ".")) break;
        members.push_back(it->first);
      }
      std::string hint = "write one of its values:";
      for (const std::string& m : members) hint += " " + m;
      return Mistake(e, e.span, "unknown-name", "`" + name + "` is a group of names, not a value", hint);
    }
    std::string hint;
    const std::string near = names_.Nearest(name);
    if (!near.empty()) {
      hint = "did you mean `" + near + "`?";
    } else if (FindFunction(name) != nullptr) {
      hint = "`" + name + "` is a function: write " + FindFunction(name)->overloads.front().signature;
    }
    Mistake(e, e.span, "unknown-name", "there is no `" + name + "`", std::move(hint));
  }

  void VisitIdent(Expr& e) {
    std::uint32_t index = 0;
    if (const Scope::Variable* v = names_.FindLocal(e, &index)) {
      e.ref = Ref::kLocal;
      e.local = index;
      e.type = v->type;
      return;
    }
    if (!ResolveName(e, e.name, e.rooted)) UnknownName(e, e.name);
  }

  // Whether some beginning of a chain of names means something.
  bool AnyPrefixKnown(const Expr& e) {
    if (e.kind == ExprKind::kIdent && names_.FindLocal(e, nullptr) != nullptr) return true;
    const Expr* root = nullptr;
    const std::string name = QualifiedName(e, &root);
    if (!name.empty() && (names_.Lookup(name, root->rooted) != nullptr || Scope::NamedType(name) != nullptr))
      return true;
    return e.kind == ExprKind::kSelect && AnyPrefixKnown(*e.args[0]);
  }

  void VisitSelect(Expr& e) {
    const Expr* root = nullptr;
    const std::string name = QualifiedName(e, &root);
    if (!name.empty() && names_.FindLocal(*root, nullptr) == nullptr) {
      if (ResolveName(e, name, root->rooted)) {
        if (e.test) e.type = value::Primitive(Kind::kBool);
        return;
      }
      if (!AnyPrefixKnown(*e.args[0])) {
        UnknownName(e, name);
        if (env_.unchecked) Visit(*e.args[0]);
        return;
      }
    }
    Expr& operand = *e.args[0];
    Visit(operand);
    Type field = FieldType(e, operand);
    if (field == nullptr) return;
    if (e.test) {
      e.type = value::Primitive(Kind::kBool);
    } else if (e.optional && types_.Resolve(field)->tag != Tag::kOptional) {
      e.type = value::OptionalOf(field);
    } else {
      e.type = field;
    }
  }

  // nullptr after a mistake.
  Type FieldType(Expr& e, const Expr& operand) {
    Type t = TypeAt(operand);
    bool optional = false;
    if (t->tag == Tag::kOptional) {
      optional = true;
      t = types_.Resolve(t->element);
    }
    Type field = nullptr;
    if (IsOpenType(t)) {
      field = t->tag == Tag::kError ? t : value::Dyn();
    } else if (t->tag == Tag::kMap) {
      if (types_.Assignable(value::Primitive(Kind::kString), t->key)) field = types_.Resolve(t->element);
    } else if (t->tag == Tag::kRecord) {
      std::vector<std::string> names;
      for (const auto& [field_name, type] : t->fields) {
        if (field_name == e.name) field = type;
        names.push_back(field_name);
      }
      if (field == nullptr) {
        const std::string_view near = NearestName(e.name, names);
        Mistake(e, e.name_span, "unknown-field", "`" + t->name + "` has no field `" + e.name + "`",
                near.empty() ? std::string() : "did you mean `" + std::string(near) + "`?");
        return nullptr;
      }
    }
    if (field == nullptr) {
      Mistake(e, e.name_span, "unknown-field", Article(value::TypeName(types_.Close(t)), true) + " has no fields",
              t->tag == Tag::kList ? "take an element first: list[0], or list.exists(x, …)" : std::string());
      return nullptr;
    }
    return optional && !e.test ? value::OptionalOf(field) : field;
  }

  // --- calls

  void VisitCall(Expr& e) {
    switch (e.op) {
      case Operator::kFunction:
        return VisitFunction(e);
      case Operator::kAnd:
      case Operator::kOr:
      case Operator::kNot:
        return VisitLogic(e);
      case Operator::kConditional:
        return VisitConditional(e);
      case Operator::kIndex:
      case Operator::kOptIndex:
        return VisitIndex(e);
      case Operator::kEqual:
      case Operator::kNotEqual:
        return VisitEquality(e);
      case Operator::kLess:
      case Operator::kLessEqual:
      case Operator::kGreater:
      case Operator::kGreaterEqual:
        return VisitOrder(e);
      case Operator::kIn:
        return VisitIn(e);
      case Operator::kAdd:
        return VisitArithmetic(e, "_+_");
      case Operator::kSubtract:
        return VisitArithmetic(e, "_-_");
      case Operator::kMultiply:
        return VisitArithmetic(e, "_*_");
      case Operator::kDivide:
        return VisitArithmetic(e, "_/_");
      case Operator::kModulo:
        return VisitArithmetic(e, "_%_");
      case Operator::kNegate:
        return VisitArithmetic(e, "-_");
    }
  }

  bool NeedsBool(Expr& whole, const Expr& part, const std::string& where) {
    if (types_.Assignable(part.type, value::Primitive(Kind::kBool))) return true;
    const std::string hint = TypeAt(part)->tag == Tag::kNull
                                 ? std::string()
                                 : "compare it with something: " + reporter_.Quote(part.span, "x") + " == …";
    Mistake(whole, part.span, "type-mismatch", where + " needs a condition, but this is " + Article(NameOf(part)),
            hint);
    return false;
  }

  void VisitLogic(Expr& e) {
    VisitAll(e);
    e.type = value::Primitive(Kind::kBool);
    for (const Expr* a : e.args) {
      if (!NeedsBool(e, *a, std::string("`") + OperatorText(e.op) + "`")) e.type = value::Primitive(Kind::kBool);
    }
  }

  void VisitConditional(Expr& e) {
    VisitAll(e);
    NeedsBool(e, *e.args[0], "`? :`");
    const Type joined = types_.Join(e.args[1]->type, e.args[2]->type);
    if (joined == nullptr) {
      return Mistake(
          e, e.name_span, "type-mismatch",
          "the two results of `? :` have different types, " + NameOf(*e.args[1]) + " and " + NameOf(*e.args[2]),
          "give both the same type" + NumberHint(reporter_, types_.Close(e.args[1]->type),
                                                 types_.Close(e.args[2]->type), *e.args[1], *e.args[2]));
    }
    e.type = joined;
  }

  void VisitIndex(Expr& e) {
    VisitAll(e);
    const Expr& operand = *e.args[0];
    const Expr& index = *e.args[1];
    Type t = TypeAt(operand);
    bool optional = e.op == Operator::kOptIndex;
    if (t->tag == Tag::kOptional) {
      optional = true;
      t = types_.Resolve(t->element);
    }
    Type element = nullptr;
    if (IsOpenType(t)) {
      element = t->tag == Tag::kError ? t : value::Dyn();
    } else if (t->tag == Tag::kList) {
      if (!types_.Assignable(index.type, value::Primitive(Kind::kInt))) {
        return Mistake(e, index.span, "type-mismatch", "a list index is an int, but this is " + Article(NameOf(index)));
      }
      element = t->element;
    } else if (t->tag == Tag::kMap) {
      if (!types_.Assignable(index.type, t->key) && !types_.Comparable(index.type, t->key)) {
        return Mistake(e, index.span, "type-mismatch",
                       "the keys of this map are " + value::TypeName(types_.Close(t->key)) + ", but this is " +
                           Article(NameOf(index)));
      }
      element = t->element;
    } else if (t->tag == Tag::kRecord) {
      element = value::Dyn();
      if (index.kind == ExprKind::kConst && index.constant.is(Kind::kString)) {
        for (const auto& [name, type] : t->fields) {
          if (name == index.constant.AsString()) element = type;
        }
      }
    } else {
      return Mistake(e, operand.span, "type-mismatch",
                     "only lists and maps have elements, this is " + Article(NameOf(operand)));
    }
    e.type = optional && types_.Resolve(element)->tag != Tag::kOptional ? value::OptionalOf(element) : element;
  }

  void VisitEquality(Expr& e) {
    VisitAll(e);
    e.type = value::Primitive(Kind::kBool);
    const Expr& a = *e.args[0];
    const Expr& b = *e.args[1];
    if (types_.Comparable(a.type, b.type)) return;
    const bool null_left = TypeAt(a)->tag == Tag::kNull;
    if (null_left || TypeAt(b)->tag == Tag::kNull) {
      const Expr& other = null_left ? b : a;
      const std::string text = reporter_.Quote(other.span, "it");
      return Mistake(e, other.span, "type-mismatch", "this is never null: what is missing is unknown, not null",
                     other.kind == ExprKind::kSelect || other.kind == ExprKind::kIdent
                         ? "write has(" + text + "), or declare the fact nullable"
                         : std::string("compare it with a value"));
    }
    Mistake(e, e.name_span, "type-mismatch",
            Article(NameOf(a), true) + " and " + Article(NameOf(b)) + " are never equal",
            ComparisonHint(reporter_, types_.Close(a.type), types_.Close(b.type), a, b));
  }

  void VisitOrder(Expr& e) {
    VisitAll(e);
    e.type = value::Primitive(Kind::kBool);
    const Expr& a = *e.args[0];
    const Expr& b = *e.args[1];
    const Type x = NotNull(TypeAt(a));
    const Type y = NotNull(TypeAt(b));
    const auto ordered = [](Type t) { return IsOpenType(t) || (t->tag == Tag::kPrimitive && HasOrder(t->primitive)); };
    if (ordered(x) && ordered(y)) {
      if (IsOpenType(x) || IsOpenType(y) || x->primitive == y->primitive) return;
      if (ComparableNumbers(x->primitive, y->primitive)) return;
    }
    if (ordered(x) && ordered(y)) {
      return Mistake(e, e.name_span, "type-mismatch",
                     Article(NameOf(a), true) + " cannot be compared with " + Article(NameOf(b)),
                     ComparisonHint(reporter_, types_.Close(a.type), types_.Close(b.type), a, b));
    }
    const Expr& bad = ordered(x) ? b : a;
    Mistake(e, bad.span, "type-mismatch", Article(NameOf(bad), true) + " has no order",
            TypeAt(bad)->tag == Tag::kPrimitive && TypeAt(bad)->primitive == Kind::kPeriod
                ? "compare dates: birth + years(18) <= today"
                : std::string());
  }

  void VisitIn(Expr& e) {
    VisitAll(e);
    e.type = value::Primitive(Kind::kBool);
    const Expr& item = *e.args[0];
    const Expr& container = *e.args[1];
    const Type t = TypeAt(container);
    if (IsOpenType(t) || t->tag == Tag::kRecord) return;
    if (t->tag != Tag::kList && t->tag != Tag::kMap) {
      return Mistake(e, container.span, "type-mismatch",
                     "`in` needs a list or a map on its right, this is " + Article(NameOf(container)),
                     t->tag == Tag::kPrimitive && t->primitive == Kind::kString
                         ? "for a part of a text write text.contains(part)"
                         : "write a list: x in [a, b]");
    }
    const Type element = t->tag == Tag::kList ? t->element : t->key;
    if (types_.Comparable(item.type, element)) return;
    Mistake(
        e, item.span, "type-mismatch",
        "this is " + Article(NameOf(item)) + ", but the list or map holds " + value::TypeName(types_.Close(element)),
        ComparisonHint(reporter_, types_.Close(item.type), types_.Close(element), item, container));
  }

  // The overloads that may apply to the arguments; sets the result type. False when none does.
  bool Select(Expr& e, const Function& f) {
    e.function = &f;
    e.overloads.clear();
    if (env_.unchecked) {
      for (const Overload& o : f.overloads) {
        if (o.member == e.member && o.params.size() == e.args.size()) e.overloads.push_back(&o);
      }
      e.type = value::Dyn();
      return true;
    }
    const Unifier::Mark before = types_.Save();
    Unifier::Mark first;
    Type result = nullptr;
    for (const Overload& o : f.overloads) {
      if (o.member != e.member || o.params.size() != e.args.size()) continue;
      types_.Restore(before);
      std::vector<std::pair<Type, Type>> renamed;
      bool fits = true;
      for (std::size_t i = 0; i < o.params.size() && fits; ++i) {
        const Type given = NotNull(types_.Resolve(e.args[i]->type));
        fits = given->tag != Tag::kNull || o.params[i]->tag == Tag::kTypeParam || o.params[i]->tag == Tag::kDyn;
        fits = fits && types_.Assignable(given, types_.Instantiate(o.params[i], renamed));
      }
      if (!fits) continue;
      const Type type = types_.Resolve(types_.Instantiate(o.result, renamed));
      if (e.overloads.empty()) {
        first = types_.Save();
        result = type;
      } else if (types_.Resolve(result) != type) {
        result = value::Dyn();
      }
      e.overloads.push_back(&o);
    }
    types_.Restore(e.overloads.empty() ? before : std::move(first));
    e.type = result;
    return !e.overloads.empty();
  }

  bool AnyBroken(const Expr& e) const {
    return std::any_of(e.args.begin(), e.args.end(),
                       [this](const Expr* a) { return a != nullptr && TypeAt(*a)->tag == Tag::kError; });
  }

  void VisitArithmetic(Expr& e, std::string_view name) {
    VisitAll(e);
    if (AnyBroken(e)) {
      e.type = value::ErrorType();
      return;
    }
    const Function* f = FindFunction(name);
    if (Select(e, *f)) return;
    const Expr& a = *e.args[0];
    if (e.args.size() == 1) {
      return Mistake(e, e.name_span, "type-mismatch", Article(NameOf(a), true) + " has no negative");
    }
    const Expr& b = *e.args[1];
    Mistake(
        e, e.name_span, "type-mismatch",
        std::string("`") + OperatorText(e.op) + "` does not take " + Article(NameOf(a)) + " and " + Article(NameOf(b)),
        ArithmeticHint(reporter_, e.op, types_.Close(a.type), types_.Close(b.type), a, b));
  }

  void VisitFunction(Expr& e) {
    const Function* f = nullptr;
    if (e.member) {
      // "math.greatest(…)": the receiver is a namespace, unless it is a variable.
      const Expr* root = nullptr;
      const std::string space = QualifiedName(*e.args[0], &root);
      if (!space.empty() && names_.FindLocal(*root, nullptr) == nullptr) {
        names_.InContainers(space + "." + e.name, root->rooted, [&](const std::string& full) {
          f = FindFunction(full);
          return f != nullptr;
        });
        if (f != nullptr) {
          e.member = false;
          e.args.erase(e.args.begin());
        }
      }
    }
    if (f == nullptr && e.member) f = FindFunction(e.name);
    if (f == nullptr && !e.member) {
      names_.InContainers(e.name, e.rooted, [&](const std::string& full) {
        f = FindFunction(full);
        return f != nullptr;
      });
    }
    if (const auto declared = env_.functions.find(e.name); f == nullptr && declared != env_.functions.end()) {
      f = declared->second.get();
      ast_.functions.push_back(declared->second);
    }
    VisitAll(e);
    if (f == nullptr) {
      if (env_.unchecked) {
        e.type = value::Dyn();
        return;
      }
      const std::string_view near = NearestName(e.name, FunctionNames());
      return Mistake(e, e.name_span, "unknown-function", "there is no function `" + e.name + "`",
                     near.empty() ? std::string() : "did you mean `" + std::string(near) + "`?");
    }
    if (AnyBroken(e)) {
      e.type =
          f->overloads.size() == 1 || SameResults(*f) ? types_.Close(f->overloads.front().result) : value::ErrorType();
      return;
    }
    if (!Select(e, *f)) {
      std::string given;
      for (std::size_t i = e.member ? 1 : 0; i < e.args.size(); ++i) {
        given += (given.empty() ? "" : ", ") + NameOf(*e.args[i]);
      }
      const std::string call = e.member ? NameOf(*e.args[0]) + "." + f->name : f->name;
      return Mistake(e, e.name_span, "wrong-arguments", "there is no `" + call + "(" + given + ")`",
                     CallHint(reporter_, *f, e));
    }
    if (UsesCalendar(f->name) && env_.calendar == nullptr && !env_.unchecked) {
      return Mistake(e, e.name_span, "no-calendar", "no calendar says which days are worked",
                     "add calendars/cn.yaml to the rules folder; of several calendars, name one: `calendar: cn`");
    }
    if (!env_.unchecked) CheckConstantArguments(e, *f, reporter_);
  }

  static bool SameResults(const Function& f) {
    return std::all_of(f.overloads.begin(), f.overloads.end(),
                       [&](const Overload& o) { return o.result == f.overloads.front().result; });
  }

  // --- lists, maps, macros

  // The type of one element of a list or map literal, an optional entry unwrapped.
  Type EntryType(const Expr& e, std::size_t entry, const Expr& part) {
    if (entry >= e.optional_entries.size() || !e.optional_entries[entry]) return part.type;
    const Type t = TypeAt(part);
    if (t->tag == Tag::kOptional) return t->element;
    if (!IsOpenType(t)) {
      reporter_.Report(part.span, "type-mismatch", "an entry with ? needs an optional value");
    }
    return value::Dyn();
  }

  Type JoinAll(Type so_far, Type next) {
    if (so_far == nullptr) return next;
    const Type joined = types_.Join(so_far, next);
    return joined == nullptr ? value::Dyn() : joined;
  }

  void VisitList(Expr& e) {
    VisitAll(e);
    Type element = nullptr;
    for (std::size_t i = 0; i < e.args.size(); ++i) element = JoinAll(element, EntryType(e, i, *e.args[i]));
    e.type = value::ListOf(element == nullptr ? types_.Fresh() : element);
  }

  void VisitMap(Expr& e) {
    VisitAll(e);
    Type key = nullptr;
    Type element = nullptr;
    for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
      const Type k = TypeAt(*e.args[i]);
      const bool good = IsOpenType(k) ||
                        (k->tag == Tag::kPrimitive && (k->primitive == Kind::kInt || k->primitive == Kind::kUint ||
                                                       k->primitive == Kind::kBool || k->primitive == Kind::kString));
      if (!good && !env_.unchecked) {
        reporter_.Report(e.args[i]->span, "type-mismatch",
                         "a map key is a text, a whole number or a bool, not " + Article(NameOf(*e.args[i])));
      }
      key = JoinAll(key, e.args[i]->type);
      element = JoinAll(element, EntryType(e, i / 2, *e.args[i + 1]));
    }
    e.type = value::MapOf(key == nullptr ? types_.Fresh() : key, element == nullptr ? types_.Fresh() : element);
  }

  void VisitMacro(Expr& e) {
    Expr& range = *e.args[0];
    Visit(range);
    const Type t = TypeAt(range);
    Type first = value::Dyn();
    Type second = value::Dyn();
    bool bad = false;
    if (e.macro == Macro::kBind) {
      first = range.type;
    } else if (e.macro == Macro::kOptMap || e.macro == Macro::kOptFlatMap) {
      bad = t->tag != Tag::kOptional && !IsOpenType(t);
      if (t->tag == Tag::kOptional) first = t->element;
    } else if (t->tag == Tag::kList) {
      first = e.variables.size() == 2 ? value::Primitive(Kind::kInt) : t->element;
      second = t->element;
    } else if (t->tag == Tag::kMap) {
      first = t->key;
      second = t->element;
    } else if (t->tag == Tag::kRecord) {
      first = value::Primitive(Kind::kString);
    } else {
      bad = !IsOpenType(t);
    }
    if (t->tag == Tag::kError) first = second = t;
    if (bad) {
      first = second = value::ErrorType();
      const bool wants_optional = e.macro == Macro::kOptMap || e.macro == Macro::kOptFlatMap;
      Mistake(e, range.span, "type-mismatch",
              std::string("`") + MacroName(e.macro) + "` needs " +
                  (wants_optional ? "an optional" : "a list or a map") + ", this is " + Article(NameOf(range)));
    }
    e.local = static_cast<std::uint32_t>(names_.locals.size());
    names_.locals.push_back({e.variables[0], first});
    if (e.variables.size() == 2) names_.locals.push_back({e.variables[1], second});
    ast_.locals = std::max(ast_.locals, static_cast<std::uint32_t>(names_.locals.size()));
    Expr* predicate = e.args[1];
    Expr* transform = e.args[2];
    if (predicate != nullptr) {
      Visit(*predicate);
      NeedsBool(e, *predicate, std::string("`") + MacroName(e.macro) + "`");
    }
    if (transform != nullptr) Visit(*transform);
    names_.locals.resize(e.local);
    e.type = MacroType(e, t);
  }

  Type MacroType(const Expr& e, Type range) {
    const Type result = e.args[2] == nullptr ? value::Dyn() : e.args[2]->type;
    const Type key = range->tag == Tag::kList  ? value::Primitive(Kind::kInt)
                     : range->tag == Tag::kMap ? range->key
                                               : value::Dyn();
    switch (e.macro) {
      case Macro::kAll:
      case Macro::kExists:
      case Macro::kExistsOne:
        return value::Primitive(Kind::kBool);
      case Macro::kFilter:
        return range->tag == Tag::kList ? range : range->tag == Tag::kMap ? value::ListOf(range->key) : value::Dyn();
      case Macro::kMap:
        return value::ListOf(result);
      case Macro::kTransformMap:
        return value::MapOf(key, result);
      case Macro::kTransformMapEntry:
        return result;
      case Macro::kOptMap:
        return value::OptionalOf(result);
      case Macro::kOptFlatMap:
      case Macro::kBind:
        return result;
    }
    return value::Dyn();
  }

  Ast& ast_;
  const Names& env_;
  Scope names_;
  const Limits& limits_;
  Reporter& reporter_;
  Unifier types_;
};

}  // namespace

Checked Check(Ast& ast, const Names& env, value::Type expected, const Limits& limits, Reporter& reporter) {
  return Checker(ast, env, limits, reporter).Run(expected);
}

}  // namespace zhitui::cel
