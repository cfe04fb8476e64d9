#include "transport/http/pacing.h"

#include <algorithm>

namespace eddy::http {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

constexpr std::size_t places_max = 1U << 16;  // of a budget in the file; larger ones are cut into parts
constexpr std::size_t not_before_word = 0;
constexpr milliseconds look_up_every{200};       // at Ctrl-C, while waiting for a budget
constexpr milliseconds look_for_turn_every{20};  // other processes cannot wake us
constexpr milliseconds throttle_first{1'000}, throttle_max{60'000};

// Requests do not arrive at the distance at which they left; this much closer they may come.
nanoseconds margin(milliseconds window) {
  return std::clamp<nanoseconds>(window / 100, milliseconds{20}, milliseconds{250});
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) { return (hash ^ value) * 0x100000001b3; }

}  // namespace

std::vector<Pace::Budget> Pace::budgets_of(const std::vector<Rate>& rates) {
  std::vector<Budget> out;
  std::size_t word = not_before_word + 1;
  for (const Rate& rate : rates) {
    if (rate.max == 0 || rate.window.count() <= 0) continue;
    // A day's 650,000 become ten times 65,000 in a tenth of a day: never more than the day's, in any day.
    const std::size_t parts = (rate.max + places_max - 1) / places_max;
    const nanoseconds window = (nanoseconds(rate.window) + nanoseconds(parts - 1)) / parts;
    out.push_back({rate.max / parts, rate.window, window + margin(rate.window), word});
    word += 1 + out.back().max;
  }
  return out;
}

Pace::Pace(Clock& clock, PaceLimits limits, std::filesystem::path file)
    : clock_(clock),
      limits_(std::move(limits)),
      budgets_(budgets_of(limits_.rates)),
      words_(
          std::move(file),
          [this] {
            std::uint64_t shape = 0xcbf29ce484222325;
            for (const Budget& budget : budgets_)
              shape = mixed(mixed(shape, budget.max), static_cast<std::uint64_t>(budget.window.count()));
            return shape;
          }(),
          budgets_.empty() ? not_before_word + 1 : budgets_.back().first_word + 1 + budgets_.back().max),
      slots_(limits_.concurrency) {}

std::int64_t Pace::now() const {
  // One more, because 0 is the time of a place that was never taken.
  return std::chrono::duration_cast<nanoseconds>(clock_.monotonic().time_since_epoch()).count() + 1;
}

nanoseconds Pace::take_or_wait(Turn& turn) {
  SharedWords::Held words(words_);
  const std::int64_t at = now();
  std::int64_t due = words.get(not_before_word);
  if (due > at + nanoseconds(wait_max).count()) due = 0;  // nobody can have written that
  std::vector<std::pair<const Budget*, std::size_t>> next;
  for (const Budget& budget : budgets_) {
    const auto told = static_cast<std::uint64_t>(words.get(budget.first_word));
    const std::size_t place = told < budget.max ? static_cast<std::size_t>(told) : 0;
    next.emplace_back(&budget, place);
    const std::int64_t taken = words.get(budget.first_word + 1 + place);
    if (taken > 0 && taken <= at) due = std::max(due, taken + budget.window.count());
  }
  if (due > at) return nanoseconds{due - at};
  turn.taken_at_ = at;
  turn.places_.clear();
  for (const auto& [budget, place] : next) {
    // In this order: a kill in between leaves the place uncharged, for a request that did not go. The other
    // way round everybody would wait for a place that was taken just now.
    words.set(budget->first_word, static_cast<std::int64_t>((place + 1) % budget->max));
    words.set(budget->first_word + 1 + place, at);
    turn.places_.push_back(budget->first_word + 1 + place);
  }
  return nanoseconds{0};
}

std::optional<std::size_t> Pace::raise_any() {
  for (std::size_t slot = 0; slot < slots_.size(); ++slot)
    if (!slots_[slot] && words_.raise_flag(slot)) {
      slots_[slot] = true;
      return slot;
    }
  return std::nullopt;
}

std::optional<Pace::Turn> Pace::wait_for_turn(const Cancel& cancel, milliseconds patience) {
  if (limits_.concurrency == 0) return Turn(*this, Turn::no_slot);
  std::unique_lock lock(mutex_);
  for (milliseconds waited{0};; waited += look_for_turn_every) {
    if (const auto slot = raise_any()) return Turn(*this, *slot);
    if (cancel.requested() || waited >= patience) return std::nullopt;
    given_back_.wait_for(lock, look_for_turn_every);
  }
}

void Pace::give_back(std::size_t slot) {
  {
    const std::lock_guard lock(mutex_);
    words_.drop_flag(slot);
    slots_[slot] = false;
  }
  given_back_.notify_one();
}

std::expected<Pace::Turn, milliseconds> Pace::take(const Cancel& cancel, milliseconds patience) {
  // The turn first: a place in a budget must not grow old while its request waits.
  auto turn = wait_for_turn(cancel, patience);
  if (!turn) return std::unexpected(milliseconds{1'000});
  for (nanoseconds waited{0};;) {
    const nanoseconds wait = take_or_wait(*turn);
    if (wait.count() <= 0) return std::move(*turn);
    if (cancel.requested() || waited + wait > patience)
      return std::unexpected(std::chrono::ceil<milliseconds>(wait));
    // Short slices, so that Ctrl-C is noticed while waiting.
    const nanoseconds slice = std::min<nanoseconds>(wait, look_up_every);
    clock_.sleep_for(slice);
    waited += slice;
  }
}

Pace::Turn::Turn(Turn&& other) noexcept
    : pace_(other.pace_),
      slot_(std::exchange(other.slot_, no_slot)),
      taken_at_(other.taken_at_),
      places_(std::move(other.places_)) {}

Pace::Turn::~Turn() {
  if (slot_ != no_slot) pace_->give_back(slot_);
}

void Pace::Turn::left_after(nanoseconds delay) {
  if (places_.empty() || delay < milliseconds{1}) return;
  SharedWords::Held words(pace_->words_);
  const std::int64_t left = std::min(taken_at_ + delay.count(), pace_->now());
  for (const std::size_t place : places_)
    if (words.get(place) == taken_at_) words.set(place, left);
}

bool Pace::used_up(milliseconds window) {
  SharedWords::Held words(words_);
  const std::int64_t at = now();
  return std::any_of(budgets_.begin(), budgets_.end(), [&](const Budget& budget) {
    const auto place = static_cast<std::uint64_t>(words.get(budget.first_word)) % budget.max;
    const std::int64_t taken = words.get(budget.first_word + 1 + place);
    return budget.told == window && taken > 0 && taken + budget.window.count() > at;
  });
}

void Pace::note(const Headers& headers) {
  {
    const std::lock_guard lock(mutex_);
    throttled_in_a_row_ = 0;
  }
  for (const HeaderReader& reader : limits_.readers) {
    if (!says_nothing_left(reader, headers)) continue;
    const auto told = reset_told(reader, headers, clock_.now());
    if (!told) continue;
    if (reader.reset_as != HeaderReader::Reset::window_ms) {
      hold(*told);
    } else if (!used_up(*told)) {
      // Others use the account too, and nobody says when their requests leave the window. What we sent
      // ourselves is known better than that, and no reason to wait for longer than our own budget does.
      hold(*told / 10);
    }
  }
}

milliseconds Pace::throttled(std::optional<milliseconds> told, const Headers& headers) {
  for (const HeaderReader& reader : limits_.readers)
    if (!told && says_nothing_left(reader, headers)) told = reset_told(reader, headers, clock_.now());

  milliseconds wait = throttle_max;
  {
    const std::lock_guard lock(mutex_);
    const int before = throttled_in_a_row_++;
    if (before < 6) wait = throttle_first * (1 << before);
  }
  if (told) wait = *told;
  hold(wait);
  return wait;
}

void Pace::hold(milliseconds duration) {
  SharedWords::Held words(words_);
  const std::int64_t at = now();
  std::int64_t before = words.get(not_before_word);
  if (before > at + nanoseconds(wait_max).count()) before = 0;
  words.set(not_before_word, std::max(before, at + nanoseconds(std::min(duration, wait_max)).count()));
}

}  // namespace eddy::http
