#include "storage/compaction_options.h"

namespace hearth::storage {

Compaction::Options compaction_options(const Store::Options& options, Contents& contents,
                                       SegmentReaders& readers, DeletionLog& deletions) {
  Compaction::Options out;
  out.bucket = options.bucket.get();
  out.contents = &contents;
  out.readers = &readers;
  out.deletions = &deletions;
  out.clock = options.clock;
  out.random = options.random;
  out.memory = options.memory;
  out.durable_write = [](const KvBatch&) { return Status(); };
  out.writer_version = options.writer_version;
  out.output_bytes = options.merged_segment_bytes;
  out.read_ahead = options.remote.fetcher != nullptr;
  out.dataset_rows_max = options.dataset_rows_max;
  out.retention = options.retention;
  out.side_data_in_days = options.side_data_in_days;
  out.shared = options.shared;
  out.merges = options.merges;
  out.poll_interval_ns = options.poll_interval_ns;
  return out;
}

}  // namespace hearth::storage
