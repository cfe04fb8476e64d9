#include "app/table.h"

#include <gtest/gtest.h>

namespace eddy::app {
namespace {

Table sample() {
  Table table(Schema{{"name", Type::text}, {"n", Type::integer}});
  table.add(Row{Value::text("a,\"b\""), Value::integer(5)});
  table.add(Row{Value(), Value::integer(1234)});
  return table;
}

TEST(Table, AlignsForPeople) {
  EXPECT_EQ(sample().render(TableForm::table), "name      n\n─────  ────\na,\"b\"     5\n       1234\n");
}

TEST(Table, CsvTellsNullFromEmpty) {
  EXPECT_EQ(sample().render(TableForm::csv), "name,n\n\"a,\"\"b\"\"\",5\n,1234\n");
  EXPECT_EQ(csv_line({Value::text(""), Value()}), "\"\",\n");
}

TEST(Table, JsonLines) {
  EXPECT_EQ(sample().render(TableForm::json),
            "{\"name\":\"a,\\\"b\\\"\",\"n\":5}\n{\"name\":null,\"n\":1234}\n");
}

TEST(Table, LongCellsAreCutBetweenCharacters) {
  Table table(Schema{{"t", Type::text}});
  std::string text;
  for (int i = 0; i < 50; ++i) text += "é";
  table.add(Row{Value::text(text)});
  const std::string out = table.render(TableForm::table);
  EXPECT_NE(out.find("é…"), std::string::npos);
}

}  // namespace
}  // namespace eddy::app
