#include "cel/scope.h"

#include "cel/functions.h"

namespace zhitui::cel {

using value::Kind;

const Scope::Variable* Scope::FindLocal(const Expr& ident, std::uint32_t* index) const {
  if (ident.rooted) return nullptr;
  for (std::size_t i = locals.size(); i-- > 0;) {
    if (locals[i].name == ident.name) {
      if (index != nullptr) *index = static_cast<std::uint32_t>(i);
      return &locals[i];
    }
  }
  return nullptr;
}

std::shared_ptr<const Declaration> Scope::Lookup(const std::string& name, bool rooted) const {
  std::shared_ptr<const Declaration> declaration;
  InContainers(name, rooted, [&](const std::string& full) {
    const auto it = env_.names.find(full);
    if (it == env_.names.end()) return false;
    declaration = it->second;
    return true;
  });
  return declaration;
}

std::string Scope::Nearest(const std::string& name) const {
  std::vector<std::string> candidates;
  for (const Variable& v : locals) candidates.push_back(v.name);
  for (const auto& [declared, d] : env_.names) {
    if (!env_.container.empty() && declared.starts_with(env_.container + ".")) {
      candidates.push_back(declared.substr(env_.container.size() + 1));
    }
    candidates.push_back(declared);
  }
  return std::string(NearestName(name, candidates));
}

value::Type Scope::NamedType(const std::string& name) {
  if (name == "null_type") return value::NullType();
  if (name == "list") return value::ListOf(value::Dyn());
  if (name == "map") return value::MapOf(value::Dyn(), value::Dyn());
  if (name == "type" || name == "optional_type") return value::Dyn();
  if (name == "google.protobuf.Timestamp") return value::Primitive(Kind::kTimestamp);
  if (name == "net.IP") return value::Primitive(Kind::kIp);
  if (name == "net.CIDR") return value::Primitive(Kind::kCidr);
  if (name == "google.protobuf.Duration") return value::Primitive(Kind::kDuration);
  if (name.size() == 1 || name == "timestamp" || name == "duration" || name == "dyn") return nullptr;
  return ParseTypeName(name);
}

std::string_view Scope::TypeConstant(const std::string& name) {
  for (int k = 0; k <= static_cast<int>(Kind::kCidr); ++k) {
    const char* known = value::KindName(static_cast<Kind>(k));
    if (name == known) return known;
  }
  return "dyn";
}

}  // namespace zhitui::cel
