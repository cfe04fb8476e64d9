// Two ways of writing, of which the account may not be allowed the first: the service says so (`other_way`)
// when it is tried, and from then on everything goes the other way.
#pragma once

#include <atomic>
#include <memory>

#include "sync/destination.h"

namespace eddy::connectors {

class FallbackWriter final : public sync::Writer {
 public:
  FallbackWriter(std::unique_ptr<sync::Writer> first, std::unique_ptr<sync::Writer> other)
      : first_(std::move(first)), other_(std::move(other)) {}

  sync::Limits limits() const override;
  sync::Answer deliver(std::span<const Change> changes) override;
  std::vector<std::string> preview(std::span<const Change> changes) override {
    return (closed_ ? other_ : first_)->preview(changes);
  }
  bool inserts_are_repeatable() const override {
    return first_->inserts_are_repeatable() && other_->inserts_are_repeatable();
  }
  void finish() override;

 private:
  std::unique_ptr<sync::Writer> first_, other_;
  std::atomic<bool> closed_{false};  // the first way
};

}  // namespace eddy::connectors
