#include "conformance/table_subject.h"

namespace eddy::conformance {
namespace {

int objects_made = 0;

}  // namespace

Target TableSubject::make_object(std::size_t key_columns) {
  Target target{.object = fmt::format("Target {}", ++objects_made),
                .key = {{"k1", Type::text}},
                .fields = {{"words", Type::text},
                           {"number", Type::integer},
                           {"amount", Type::decimal},
                           {"share", Type::real},
                           {"flag", Type::boolean},
                           {"day", Type::date},
                           {"at", Type::timestamp},
                           {"doc", Type::json},
                           {"bytes", Type::blob},
                           {"score", Type::integer}}};
  if (key_columns > 1) target.key.push_back({"k2", Type::integer});
  create_table(target.object, key_columns > 1 ? "k1, k2" : "k1");
  return target;
}

void TableSubject::spoil(const Target&, Change& change) const { change.fields.back() = Value::integer(-1); }

std::map<std::string, std::string> no_answer_is_lost(const std::string& reason) {
  return {{"ALostAnswerIsRepeatedAndDoublesNothing", reason}, {"AnInsertWhoseAnswerIsLostIsInDoubt", reason}};
}

}  // namespace eddy::conformance
