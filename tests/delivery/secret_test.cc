#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "delivery/delivery.h"
#include "gtest/gtest.h"

namespace zhitui::delivery {
namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "zhitui-secret-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string File() const { return path_ + "/key"; }
  // As a mounted secret is rotated: a new file in place of the old.
  void Put(const std::string& text) const {
    std::ofstream(path_ + "/new") << text;
    std::filesystem::rename(path_ + "/new", File());
  }

 private:
  std::string path_;
};

// The value once its generation is another one; the file is looked at once a second.
std::shared_ptr<const Secret::Value> Changed(const Secret& secret, std::uint64_t from) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (true) {
    const auto value = secret.Get();
    if (value->generation != from || std::chrono::steady_clock::now() > until) return value;
    std::this_thread::yield();
  }
}

TEST(Secret, AFixedOneStays) {
  const Secret secret("abc");
  EXPECT_EQ(secret.Get()->text, "abc");
  EXPECT_EQ(secret.Get()->generation, 0U);
}

TEST(Secret, AFileThatChangesIsTakenUpWithoutItsLineEnd) {
  const Folder folder;
  folder.Put("old\n");
  const Secret secret = Secret::FromFile(folder.File(), "old");
  const Secret copy = secret;
  EXPECT_EQ(secret.Get()->text, "old");
  folder.Put("new\r\n");
  EXPECT_EQ(Changed(secret, 0)->text, "new");
  EXPECT_EQ(copy.Get()->text, "new") << "copies share the state";
}

TEST(Secret, AFileThatIsGoneOrEmptyLeavesTheLastGoodValue) {
  const Folder folder;
  folder.Put("good");
  const Secret secret = Secret::FromFile(folder.File(), "good");
  std::filesystem::remove(folder.File());
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  while (std::chrono::steady_clock::now() < until) ASSERT_EQ(secret.Get()->text, "good");
  folder.Put("");
  folder.Put("better");
  EXPECT_EQ(Changed(secret, 0)->text, "better");
}

TEST(Settings, ASecretIsHandedOnWithItsFile) {
  const Folder folder;
  folder.Put("one");
  Settings settings;
  settings.SetSecret("key", Secret::FromFile(folder.File(), "one"), {});
  Diagnostics diagnostics;
  const Secret secret = settings.SecretOf("key", true, &diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  folder.Put("two");
  EXPECT_EQ(Changed(secret, 0)->text, "two");
}

TEST(Settings, AMissingSecretIsADiagnosticOnlyWhenItIsRequired) {
  Diagnostics diagnostics;
  EXPECT_EQ(Settings().SecretOf("key", false, &diagnostics).Get()->text, "");
  EXPECT_TRUE(diagnostics.empty());
  Settings().SecretOf("key", true, &diagnostics);
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].code, "missing-setting");
}

TEST(Settings, APriceIsExactInMillionths) {
  const auto price = [](const char* text, bool good) {
    Settings settings;
    settings.Set("price_cny", text, {});
    Diagnostics diagnostics;
    const std::int64_t micros = settings.PriceMicros("price_cny", &diagnostics);
    EXPECT_EQ(diagnostics.empty(), good) << text;
    return micros;
  };
  EXPECT_EQ(price("0.045", true), 45'000);
  EXPECT_EQ(price("1", true), 1'000'000);
  EXPECT_EQ(price("0.000001", true), 1);
  for (const char* bad : {"", ".5", "1.", "-1", "0.0000001", "1e3", "12345678", "0,05"})
    EXPECT_EQ(price(bad, false), 0);
}

}  // namespace
}  // namespace zhitui::delivery
