// Connections that worker threads borrow, each for one batch at a time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "connectors/tables/refusal.h"
#include "connectors/tables/verdicts.h"

namespace eddy::connectors {

// A lane is a connection with what belongs to it (its staging table). It is made on demand, so there are as
// many as workers were busy at once. Thread-safe.
template <class Lane>
class Lanes {
 public:
  using Open = std::function<std::unique_ptr<Lane>()>;
  using Prepare = std::function<void(Lane&)>;

  // prepare: called with the first lane before anybody has one; when it throws, again with the next.
  Lanes(Open open, Prepare prepare) : open_(std::move(open)), prepare_(std::move(prepare)) {}

  // Throws what `open` and `prepare` throw.
  std::unique_ptr<Lane> borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto lane = std::move(idle_.back());
        idle_.pop_back();
        return lane;
      }
    }
    auto lane = open_();
    const std::lock_guard lock(mutex_);
    if (!prepared_) prepare_(*lane);
    prepared_ = true;
    return lane;
  }
  // Only one that can be used again: the others are left to die.
  void put_back(std::unique_ptr<Lane> lane) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(lane));
  }
  void close() {  // those that nobody has
    const std::lock_guard lock(mutex_);
    idle_.clear();
  }

 private:
  Open open_;
  Prepare prepare_;
  std::mutex mutex_;  // guards what follows
  bool prepared_ = false;
  std::vector<std::unique_ptr<Lane>> idle_;
};

// One batch of `rows` over one lane (with a `connection`). `send(lane, verdicts)` carries it out in one
// transaction, and gives verdicts to rows that it refuses; the others are applied when it returns. A
// WireError becomes the answer, through `refusal_of`, and Error("destination.refused") when no row is to
// blame.
template <class WireError, class Lane, class Send, class RefusalOf>
sync::Answer deliver_over(Lanes<Lane>& lanes, std::size_t rows, const std::string& table, Send&& send,
                          RefusalOf&& refusal_of) {
  std::vector<Verdict> verdicts(rows);
  std::unique_ptr<Lane> lane;
  sync::Answer answer;
  try {
    lane = lanes.borrow();
    send(*lane, verdicts);
    settle(verdicts, Verdict::applied());
    answer.verdicts = std::move(verdicts);
  } catch (const WireError& error) {
    if (lane && (error.is_connection_lost() || !lane->connection.usable())) lane.reset();
    answer = answer_to(refusal_of(error), std::move(verdicts), table);
  }
  if (lane) lanes.put_back(std::move(lane));
  return answer;
}

}  // namespace eddy::connectors
