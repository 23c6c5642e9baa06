#pragma once

// The bytes of CMPP 2.0 and 3.0 (providers.md §2.4). Pure. Lengths are strict: a PDU that is longer or shorter than its
// fields is not understood. Text fields end at their first zero byte.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace zhitui::sms {

enum class CmppVersion : std::uint8_t { k20 = 0x20, k30 = 0x30 };

inline constexpr std::uint32_t kCmppConnect = 1;
inline constexpr std::uint32_t kCmppTerminate = 2;
inline constexpr std::uint32_t kCmppSubmit = 4;
inline constexpr std::uint32_t kCmppDeliver = 5;
inline constexpr std::uint32_t kCmppActiveTest = 8;
inline constexpr std::uint32_t kCmppResponse = 0x80000000;  // bit of the answer to a command

inline constexpr std::size_t kCmppHeader = 12;
inline constexpr std::size_t kCmppSequenceAt = 8;
inline constexpr std::size_t kCmppMaxPdu = 4096;  // the longest of the protocol is a SUBMIT to 99 numbers; we get none
inline constexpr std::size_t kCmppMaxContent = 140;

struct CmppHeader {
  std::uint32_t command = 0;
  std::uint32_t sequence = 0;
};
// nullopt: shorter than a header, or of another length than it says.
std::optional<CmppHeader> ReadCmppHeader(std::string_view pdu);
// A PDU that is its header only (TERMINATE, its answer, ACTIVE_TEST).
void AppendCmppBare(std::uint32_t command, std::uint32_t sequence, std::string* out);
void AppendCmppActiveTestResp(std::uint32_t sequence, std::string* out);

struct CmppConnect {
  std::string source_addr;    // 6
  std::string authenticator;  // 16, CmppAuthenticator
  std::uint8_t version = 0;
  std::uint32_t timestamp = 0;  // MMDDHHMMSS as a number
};
// MD5 of the account, nine zero bytes, the secret and the ten digits of the timestamp.
std::string CmppAuthenticator(std::string_view source_addr, std::string_view secret, std::uint32_t timestamp);
// What the gateway proves itself with: MD5 of its status (one byte, in 3.0 four), our authenticator and the secret.
std::string CmppGatewayAuthenticator(CmppVersion version, std::uint32_t status, std::string_view authenticator,
                                     std::string_view secret);
void AppendCmppConnect(const CmppConnect& connect, std::uint32_t sequence, std::string* out);

struct CmppConnectResp {
  std::uint32_t status = 0;
  std::string authenticator;  // 16
  std::uint8_t version = 0;
  CmppVersion form = CmppVersion::k20;  // told from the length
};
std::optional<CmppConnectResp> ReadCmppConnectResp(std::string_view pdu);

// One destination; texts that are longer than their field are cut.
struct CmppSubmit {
  std::uint8_t pk_total = 1;
  std::uint8_t pk_number = 1;
  std::uint8_t registered_delivery = 0;
  std::uint8_t msg_level = 0;
  std::string service_id;  // 10
  std::uint8_t fee_user_type = 2;
  std::string fee_terminal_id;  // 21, in 3.0 32
  std::uint8_t tp_pid = 0;
  std::uint8_t tp_udhi = 0;
  std::uint8_t msg_fmt = 8;
  std::string msg_src;     // 6
  std::string fee_type;    // 2
  std::string fee_code;    // 6
  std::string valid_time;  // 17
  std::string at_time;     // 17
  std::string src_id;      // 21
  std::string dest;        // 21, in 3.0 32
  std::string content;     // at most kCmppMaxContent bytes, a user data header included
};
void AppendCmppSubmit(CmppVersion version, const CmppSubmit& submit, std::uint32_t sequence, std::string* out);

struct CmppSubmitResp {
  std::uint64_t msg_id = 0;
  std::uint32_t result = 0;
};
std::optional<CmppSubmitResp> ReadCmppSubmitResp(CmppVersion version, std::string_view pdu);

struct CmppDeliver {
  std::uint64_t msg_id = 0;
  std::string dest_id;
  std::string service_id;
  std::uint8_t tp_pid = 0;
  std::uint8_t tp_udhi = 0;
  std::uint8_t msg_fmt = 0;
  std::string src_terminal_id;
  bool is_report = false;
  std::string content;
};
std::optional<CmppDeliver> ReadCmppDeliver(CmppVersion version, std::string_view pdu);
void AppendCmppDeliverResp(CmppVersion version, std::uint64_t msg_id, std::uint32_t result, std::uint32_t sequence,
                           std::string* out);

// The content of a DELIVER that is a report: 60 bytes, or 71 with the long numbers of 3.0; gateways differ, so the
// length tells.
struct CmppReport {
  std::uint64_t msg_id = 0;
  std::string stat;
  std::string submit_time;  // YYMMDDHHMM
  std::string done_time;
  std::string dest;
  std::uint32_t smsc_sequence = 0;
};
std::optional<CmppReport> ReadCmppReport(std::string_view content);

// UTF-8 to UCS2 (UTF-16, most significant byte first) and back. nullopt: not UTF-8. What is no text becomes U+FFFD.
std::optional<std::string> Ucs2FromUtf8(std::string_view utf8);
std::string Utf8FromUcs2(std::string_view ucs2);

// The contents of the segments of a text: up to 70 characters one, else 67 in each behind the header
// 05 00 03 reference total number. A surrogate pair stays whole. Empty: more than 255 segments.
std::vector<std::string> CmppSegments(std::string_view ucs2, std::uint8_t reference);

// The user data header of a part of a longer message (8-bit or 16-bit reference); nullopt: it has none.
struct CmppPart {
  std::uint16_t reference = 0;
  std::uint8_t total = 0;
  std::uint8_t number = 0;  // from 1 to total
  std::string_view text;    // behind the header
};
std::optional<CmppPart> ReadCmppPart(std::string_view content);
// The text behind a user data header of any kind; nullopt: its length is wrong.
std::optional<std::string_view> BehindUserDataHeader(std::string_view content);

}  // namespace zhitui::sms
