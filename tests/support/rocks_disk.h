#pragma once

#include <memory>

#include "support/power_cut_disk.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace hearth::test {

/// Lets RocksDB live on such a disk, which outlives it.
[[nodiscard]] std::unique_ptr<rocksdb::Env> rocks_env_on(PowerCutDisk& disk);

}  // namespace hearth::test
