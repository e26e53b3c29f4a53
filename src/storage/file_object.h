#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/file_system.h"
#include "hearth/object_store.h"

namespace hearth::storage {

/// A local file read as an object. Views keep the file open.
class FileObject final : public ObjectReader {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ObjectReader>> open(FileSystem& files,
                                                                  const std::string& path) {
    HEARTH_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.open(path));
    return std::unique_ptr<ObjectReader>(new FileObject(std::move(file)));
  }
  [[nodiscard]] uint64_t size() const override { return file_->size(); }
  [[nodiscard]] Result<SharedBytes> read(uint64_t offset, uint64_t length) const override {
    if (offset > size() || length > size() - offset)
      return fail(ErrorCode::data_loss, "read file: range outside of it");
    return SharedBytes{file_, file_->data().substr(offset, length)};
  }

 private:
  explicit FileObject(std::unique_ptr<RandomAccessFile> file) : file_(std::move(file)) {}
  std::shared_ptr<const RandomAccessFile> file_;
};

}  // namespace hearth::storage
