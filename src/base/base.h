#pragma once

// base: what every room may use: errors, time and civil dates, the doors of logging and metrics, records, hashes, the
// byte codec, the bounded queue, diagnostics with a caret. Knows no other room. Owns OpenSSL's digest (SHA-256)
// and the time zone database.

#include "base/bytes.h"
#include "base/channel.h"
#include "base/diagnostic.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parallel.h"
#include "base/queue.h"
#include "base/record.h"
#include "base/text.h"
#include "base/time.h"
