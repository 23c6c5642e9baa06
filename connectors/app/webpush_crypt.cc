#include "app/webpush_crypt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <optional>

namespace zhitui::app {
namespace {

constexpr std::size_t kHash = 32;
constexpr std::size_t kPoint = 65;
constexpr std::size_t kScalar = 32;
constexpr std::size_t kSalt = 16;
constexpr std::size_t kAuth = 16;
constexpr std::size_t kTag = 16;
constexpr std::size_t kKey = 16;
constexpr std::size_t kNonce = 12;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Group = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freed<EC_POINT_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using Scratch = std::unique_ptr<BN_CTX, Freed<BN_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string Hmac(std::string_view key, std::string_view data) {
  std::string out(kHash, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(data), data.size(), Bytes(out), &size);
  return out;
}

// The sender's public point and the secret it shares with the receiver.
struct Agreement {
  std::string point;
  std::string secret;
};
std::optional<Agreement> Agree(std::string_view scalar, std::string_view peer) {
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Scratch scratch(BN_CTX_new());
  const Number d(BN_bin2bn(Bytes(scalar), static_cast<int>(scalar.size()), nullptr));
  const Point mine(EC_POINT_new(group.get()));
  const Point theirs(EC_POINT_new(group.get()));
  const Point shared(EC_POINT_new(group.get()));
  const Number x(BN_new());
  Agreement out;
  out.point.resize(kPoint);
  out.secret.resize(kHash);
  BN_set_flags(d.get(), BN_FLG_CONSTTIME);
  // oct2point refuses what is not on the curve. The curve has cofactor one, so nothing else is to be checked.
  const bool good = EC_POINT_oct2point(group.get(), theirs.get(), Bytes(peer), peer.size(), scratch.get()) == 1 &&
                    EC_POINT_mul(group.get(), mine.get(), d.get(), nullptr, nullptr, scratch.get()) == 1 &&
                    EC_POINT_point2oct(group.get(), mine.get(), POINT_CONVERSION_UNCOMPRESSED, Bytes(out.point), kPoint,
                                       scratch.get()) == kPoint &&
                    EC_POINT_mul(group.get(), shared.get(), nullptr, theirs.get(), d.get(), scratch.get()) == 1 &&
                    EC_POINT_get_affine_coordinates(group.get(), shared.get(), x.get(), nullptr, scratch.get()) == 1 &&
                    BN_bn2binpad(x.get(), Bytes(out.secret), static_cast<int>(kHash)) == static_cast<int>(kHash);
  ERR_clear_error();
  if (!good) return std::nullopt;
  return out;
}

std::string Base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(Bytes(out), Bytes(bytes), static_cast<int>(bytes.size()))));
  return out;
}

}  // namespace

Result<PushSender> NewPushSender() {
  const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Number d(BN_new());
  PushSender sender;
  sender.scalar.resize(kScalar);
  sender.salt.resize(kSalt);
  // 1 to order - 1.
  const Number below(BN_dup(EC_GROUP_get0_order(group.get())));
  if (BN_sub_word(below.get(), 1) != 1 || BN_priv_rand_range(d.get(), below.get()) != 1 ||
      BN_add_word(d.get(), 1) != 1 ||
      BN_bn2binpad(d.get(), Bytes(sender.scalar), static_cast<int>(kScalar)) != static_cast<int>(kScalar) ||
      RAND_bytes(Bytes(sender.salt), static_cast<int>(kSalt)) != 1) {
    ERR_clear_error();
    return Fatal("the system gives no random numbers");
  }
  return sender;
}

Result<std::string> EncryptPush(const PushReceiver& receiver, const PushSender& sender, std::string_view text,
                                std::size_t padding) {
  if (receiver.point.size() != kPoint || receiver.point[0] != 4 || receiver.auth.size() != kAuth ||
      sender.scalar.size() != kScalar || sender.salt.size() != kSalt) {
    return Invalid("a key of the subscription has the wrong length");
  }
  if (text.size() > kPushTextBytes || padding > kPushTextBytes - text.size()) {
    return Invalid("the text has " + std::to_string(text.size()) + " bytes, a push message takes " +
                   std::to_string(kPushTextBytes));
  }
  const auto agreed = Agree(sender.scalar, receiver.point);
  if (!agreed) return Invalid("p256dh of the subscription is not a point of the curve P-256");

  // RFC 8291 section 3.4. HKDF of at most one block is HMAC with a counter of one at the end.
  const std::string info = std::string("WebPush: info") + '\0' + receiver.point + agreed->point;
  const std::string material = Hmac(Hmac(receiver.auth, agreed->secret), info + '\x01');
  const std::string prk = Hmac(sender.salt, material);
  const std::string key = Hmac(prk, std::string("Content-Encoding: aes128gcm") + '\0' + '\x01').substr(0, kKey);
  const std::string nonce = Hmac(prk, std::string("Content-Encoding: nonce") + '\0' + '\x01').substr(0, kNonce);

  // RFC 8188 section 2: the last record ends its text with 2, then zeros.
  const std::string plain = std::string(text) + '\x02' + std::string(padding, '\0');
  std::string sealed(plain.size() + kTag, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  if (EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, Bytes(key), Bytes(nonce)) != 1 ||
      EVP_EncryptUpdate(cipher.get(), Bytes(sealed), &size, Bytes(plain), static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(cipher.get(), Bytes(sealed) + size, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTag), Bytes(sealed) + plain.size()) !=
          1) {
    ERR_clear_error();
    return Fatal("the cipher AES-128-GCM is missing");
  }
  std::string body = sender.salt;
  const auto record = static_cast<std::uint32_t>(kPushBodyBytes);
  for (const int shift : {24, 16, 8, 0}) body += static_cast<char>((record >> shift) & 255U);
  body += static_cast<char>(kPoint);
  body += agreed->point;
  body += sealed;
  return body;
}

std::string EcScalarPem(std::string_view scalar) {
  // SEC 1 ECPrivateKey without the public key: version 1, the number, the curve's name.
  std::string der("\x30\x31\x02\x01\x01\x04\x20", 7);
  der += scalar;
  der += std::string("\xA0\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07", 12);
  return "-----BEGIN EC PRIVATE KEY-----\n" + Base64(der) + "\n-----END EC PRIVATE KEY-----\n";
}

}  // namespace zhitui::app
