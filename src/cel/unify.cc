#include "cel/unify.h"

#include <algorithm>

#include "cel/messages.h"

namespace zhitui::cel {

using value::Type;
using Tag = value::TypeRep::Tag;

Type NotNull(Type type) {
  if (!type->nullable) return type;
  switch (type->tag) {
    case Tag::kPrimitive:
      return value::Primitive(type->primitive);
    case Tag::kList:
      return value::ListOf(type->element);
    case Tag::kMap:
      return value::MapOf(type->key, type->element);
    case Tag::kRecord:
      return value::Record(type->name, type->fields);
    case Tag::kOptional:
      return value::OptionalOf(type->element);
    case Tag::kType:
      return value::TypeOf(type->element);
    default:
      return type;
  }
}

namespace {

// An abstract type with each part changed.
template <class Change>
Type EachPart(Type type, Change change) {
  std::vector<Type> parts;
  for (const auto& [none, part] : type->fields) parts.push_back(change(part));
  return value::Abstract(type->name, std::move(parts));
}

}  // namespace

bool IsOpenType(Type t) { return t->tag == Tag::kDyn || t->tag == Tag::kError || t->tag == Tag::kTypeParam; }

Type Unifier::Fresh() { return value::TypeParam("%" + std::to_string(next_++)); }

Type Unifier::Instantiate(Type type, std::vector<std::pair<Type, Type>>& renamed) {
  switch (type->tag) {
    case Tag::kTypeParam: {
      for (const auto& [from, to] : renamed) {
        if (from == type) return to;
      }
      renamed.emplace_back(type, Fresh());
      return renamed.back().second;
    }
    case Tag::kList:
      return value::ListOf(Instantiate(type->element, renamed));
    case Tag::kOptional:
      return value::OptionalOf(Instantiate(type->element, renamed));
    case Tag::kType:
      return value::TypeOf(Instantiate(type->element, renamed));
    case Tag::kMap: {
      const Type key = Instantiate(type->key, renamed);
      return value::MapOf(key, Instantiate(type->element, renamed));
    }
    case Tag::kAbstract:
      return EachPart(type, [&](Type part) { return Instantiate(part, renamed); });
    default:
      return type;
  }
}

Type Unifier::Resolve(Type type) const {
  switch (type->tag) {
    case Tag::kTypeParam: {
      const auto it = bound_.find(type);
      return it == bound_.end() ? type : Resolve(it->second);
    }
    case Tag::kList: {
      const Type element = Resolve(type->element);
      if (element == type->element) return type;
      return type->nullable ? value::Nullable(value::ListOf(element)) : value::ListOf(element);
    }
    case Tag::kOptional: {
      const Type element = Resolve(type->element);
      return element == type->element ? type : value::OptionalOf(element);
    }
    case Tag::kType: {
      const Type element = Resolve(type->element);
      return element == type->element ? type : value::TypeOf(element);
    }
    case Tag::kMap: {
      const Type key = Resolve(type->key);
      const Type element = Resolve(type->element);
      if (key == type->key && element == type->element) return type;
      return type->nullable ? value::Nullable(value::MapOf(key, element)) : value::MapOf(key, element);
    }
    case Tag::kAbstract:
      return EachPart(type, [&](Type part) { return Resolve(part); });
    default:
      return type;
  }
}

Type Unifier::Close(Type type) const {
  type = Resolve(type);
  switch (type->tag) {
    case Tag::kTypeParam:
      return value::Dyn();
    case Tag::kList: {
      const Type element = Close(type->element);
      return element == type->element ? type : value::ListOf(element);
    }
    case Tag::kOptional:
      return value::OptionalOf(Close(type->element));
    case Tag::kType:
      return value::TypeOf(Close(type->element));
    case Tag::kMap: {
      const Type key = Close(type->key);
      const Type element = Close(type->element);
      return key == type->key && element == type->element ? type : value::MapOf(key, element);
    }
    case Tag::kAbstract:
      return EachPart(type, [&](Type part) { return Close(part); });
    default:
      return type;
  }
}

bool Unifier::Occurs(Type parameter, Type in) const {
  in = Resolve(in);
  if (in == parameter) return true;
  if (in->tag == Tag::kAbstract) {
    for (const auto& [none, part] : in->fields) {
      if (Occurs(parameter, part)) return true;
    }
  }
  return (in->key != nullptr && Occurs(parameter, in->key)) ||
         (in->element != nullptr && Occurs(parameter, in->element));
}

// Whether `a` covers at least what `b` covers.
bool Unifier::MoreGeneral(Type a, Type b) const {
  a = Resolve(a);
  b = Resolve(b);
  if (a->tag == Tag::kDyn) return true;
  if (b->tag == Tag::kDyn) return false;
  if (b->tag == Tag::kTypeParam) return a->tag == Tag::kTypeParam;
  if (a->tag == Tag::kTypeParam) return true;
  if (a->nullable && !b->nullable && NotNull(a) == b) return true;
  if (a->tag != b->tag) return false;
  switch (a->tag) {
    case Tag::kList:
    case Tag::kOptional:
    case Tag::kType:
      return MoreGeneral(a->element, b->element);
    case Tag::kMap:
      return MoreGeneral(a->key, b->key) && MoreGeneral(a->element, b->element);
    case Tag::kAbstract:
      return a->name == b->name && a->fields.size() == b->fields.size() &&
             std::equal(a->fields.begin(), a->fields.end(), b->fields.begin(),
                        [this](const auto& x, const auto& y) { return MoreGeneral(x.second, y.second); });
    default:
      return a == b;
  }
}

bool Unifier::Assignable(Type from, Type to) {
  Mark mark = bound_;
  if (Unify(from, to)) return true;
  bound_ = std::move(mark);
  return false;
}

bool Unifier::Unify(Type from, Type to) {
  if (from == to) return true;
  if (to->tag == Tag::kTypeParam) {
    const auto it = bound_.find(to);
    if (it != bound_.end()) {
      // A parameter bound to int that then meets dyn becomes dyn.
      if (!Unify(from, it->second)) return false;
      if (from->tag != Tag::kTypeParam && MoreGeneral(from, bound_[to]) && !Occurs(to, from)) bound_[to] = from;
      return true;
    }
    from = Resolve(from);
    if (from == to) return true;
    if (Occurs(to, from)) return false;
    bound_[to] = from;
    return true;
  }
  if (from->tag == Tag::kTypeParam) {
    const auto it = bound_.find(from);
    if (it != bound_.end()) return Unify(it->second, to);
    if (Occurs(from, to)) return false;
    bound_[from] = to;
    return true;
  }
  if (from->tag == Tag::kDyn || to->tag == Tag::kDyn || from->tag == Tag::kError || to->tag == Tag::kError) return true;
  if (from->tag == Tag::kNull) return to->tag == Tag::kNull || to->nullable;
  if (to->tag == Tag::kNull) return from->nullable;
  const bool record_to_map = from->tag == Tag::kRecord && to->tag == Tag::kMap;
  if (from->tag != to->tag && !record_to_map) return false;
  switch (from->tag) {
    case Tag::kPrimitive:
      return from->primitive == to->primitive;
    case Tag::kList:
    case Tag::kOptional:
      return Unify(from->element, to->element);
    case Tag::kType:
      return true;
    case Tag::kMap:
      return Unify(from->key, to->key) && Unify(from->element, to->element);
    case Tag::kRecord:
      if (record_to_map) {
        return Unify(value::Primitive(value::Kind::kString), to->key) && Unify(value::Dyn(), to->element);
      }
      return from->name == to->name;
    case Tag::kAbstract:
      return from->name == to->name && from->fields.size() == to->fields.size() &&
             std::equal(from->fields.begin(), from->fields.end(), to->fields.begin(),
                        [this](const auto& x, const auto& y) { return Unify(x.second, y.second); });
    default:
      return false;
  }
}

Type Unifier::Join(Type a, Type b) {
  if (Assignable(b, a)) {
    const Type x = Resolve(a);
    const Type y = Resolve(b);
    return MoreGeneral(x, y) ? x : y;
  }
  const Type x = Resolve(a);
  const Type y = Resolve(b);
  if (x->tag == Tag::kNull) return value::Nullable(y);
  if (y->tag == Tag::kNull) return value::Nullable(x);
  return nullptr;
}

bool Unifier::Comparable(Type a, Type b) {
  if (Assignable(a, b) || Assignable(b, a)) return true;
  a = Resolve(a);
  b = Resolve(b);
  if (IsOpenType(a) || IsOpenType(b)) return true;
  if (a->tag == Tag::kPrimitive && b->tag == Tag::kPrimitive) return ComparableNumbers(a->primitive, b->primitive);
  if (a->tag == Tag::kList && b->tag == Tag::kList) return Comparable(a->element, b->element);
  if (a->tag == Tag::kOptional && b->tag == Tag::kOptional) return Comparable(a->element, b->element);
  if (a->tag == Tag::kMap && b->tag == Tag::kMap) {
    return Comparable(a->key, b->key) && Comparable(a->element, b->element);
  }
  return false;
}

}  // namespace zhitui::cel
