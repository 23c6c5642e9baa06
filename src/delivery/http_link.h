#pragma once

// The binding of cpp-httplib to HttpLink, written over its types so that the vendor's header is included only by the
// rooms that own it: HttpLinkOf<httplib::Client, httplib::Request, httplib::Response, httplib::Error>.
//
// What cpp-httplib 0.11.4 does (read in its source): send() makes one attempt and never repeats a request; before it
// reuses a kept connection it looks whether the peer has closed it, but takes a pending TLS close for data. So Do drops
// a kept connection on which anything is readable. Later versions repeat a request by themselves when a TLS peer closes
// early; the integration tests count requests to notice.

#include <poll.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "delivery/http.h"

namespace zhitui::delivery {

template <class Client, class Request, class Response, class Error>
class HttpLinkOf final : public HttpLink {
 public:
  explicit HttpLinkOf(const HttpOptions& options) : options_(options), client_(options.base.Origin()) {
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);
    client_.set_follow_location(false);
    client_.set_url_encode(false);  // targets come encoded; a signature covers them byte by byte
    client_.set_decompress(false);
    if (options_.base.tls && !options_.ca_file.empty()) client_.set_ca_cert_path(options_.ca_file.c_str());
  }

  HttpAnswer Do(const HttpCall& call, std::chrono::steady_clock::time_point deadline) override {
    HttpAnswer answer;
    try {
      Run(call, deadline, answer);
    } catch (const std::exception&) {  // an answer the library could not read
      answer.fate = HttpFate::kUnknown;
      answer.fault = "malformed";
      client_.stop();
    }
    return answer;
  }

  void Abort() override { client_.stop(); }

  static std::unique_ptr<HttpLink> Make(const HttpOptions& options) { return std::make_unique<HttpLinkOf>(options); }

 private:
  void Run(const HttpCall& call, std::chrono::steady_clock::time_point deadline, HttpAnswer& answer) {
    const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now());
    if (left <= Millis(0)) {
      answer.fate = HttpFate::kNotSent;
      answer.fault = "deadline";
      return;
    }
    if (Stale()) client_.stop();
    client_.set_connection_timeout(std::min(options_.connect_timeout, left));
    client_.set_read_timeout(left);
    client_.set_write_timeout(left);

    Request request;
    request.method = call.method;
    request.path = options_.base.path + call.target;
    for (const auto& [name, value] : call.headers) request.headers.emplace(name, value);
    request.body = call.body;
    bool too_large = false;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      too_large = answer.body.size() + size > options_.max_answer_bytes;
      if (!too_large) answer.body.append(data, size);
      return !too_large;
    };
    Response response;
    Error error = Error::Success;
    if (client_.send(request, response, error)) {
      answer.fate = HttpFate::kAnswered;
      answer.status = response.status;
      for (const auto& [name, value] : response.headers) {
        std::string lower = name;
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
        answer.headers.emplace(std::move(lower), value);
      }
      return;
    }
    answer.body.clear();
    answer.fate = HttpFate::kUnknown;
    if (too_large) {
      answer.fault = "too_large";
      return;
    }
    switch (error) {
      case Error::Connection:
      case Error::BindIPAddress:
        NotSent(answer, "connect");
        break;
      case Error::ConnectionTimeout:
        NotSent(answer, "connect_timeout");
        break;
      case Error::SSLConnection:
        NotSent(answer, "tls");
        break;
      case Error::SSLLoadingCerts:
      case Error::SSLServerVerification:
        NotSent(answer, "certificate");
        break;
      case Error::Write:
        answer.fault = "write";
        break;
      case Error::Read:
        answer.fault = "read";
        break;
      default:
        answer.fault = "http";
        break;
    }
  }

  static void NotSent(HttpAnswer& answer, const char* fault) {
    answer.fate = HttpFate::kNotSent;
    answer.fault = fault;
  }

  // An idle connection has nothing to say: whatever is readable is the peer's goodbye.
  bool Stale() const {
    if (client_.is_socket_open() == 0) return false;
    pollfd peer{};
    peer.fd = client_.socket();
    peer.events = POLLIN;
    return ::poll(&peer, 1, 0) != 0;
  }

  const HttpOptions options_;
  Client client_;
};

}  // namespace zhitui::delivery
