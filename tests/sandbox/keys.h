// Key pairs of the providers that take signed tokens, made when they are first needed, and the tokens' verification.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

// The PKCS#8 PEM of an RSA key of 2048 bits, one for each name and process. Threads: any.
const std::string& PrivateKeyPem(const std::string& name);

// Header and claims of a compact JWS that the key of that name has signed with that algorithm, "RS256" or "PS256" (a
// salt of 32 bytes). Nothing when anything is wrong.
struct Jws {
  nlohmann::json header;
  nlohmann::json claims;
};
std::optional<Jws> VerifyJws(const std::string& name, std::string_view algorithm, std::string_view token);

// Base64 with - and _ and without padding. Nothing for any other character.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace sandbox
