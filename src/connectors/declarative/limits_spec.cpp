// `limits` of a connector.yml: how fast a service may be asked, and how much.
#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/spec_reader.h"
#include "connectors/declarative/spec_shape.h"
#include "core/time_zone.h"

namespace eddy::connectors {

using config::field;
using config::Node;
using config::required;
using config::Shape;

Shape limits_shape() {
  const Shape bucket = Shape::object({required("max", Shape::string(), "requests"),
                                      required("window", Shape::duration(), "in any such time")});
  const Shape reader = Shape::object(
      {required("remaining", Shape::string(), "header with the requests left"),
       field("reset", Shape::string(), "header with the time until there are more"),
       field("reset_as", Shape::enumeration({"seconds", "milliseconds", "unix_time", "window_ms"}),
             "seconds unless said otherwise"),
       field("otherwise", Shape::duration(), "the wait when the header is missing")});
  const Shape ratio = Shape::object({required("header", Shape::string(), "header like `name=used/max`"),
                                     required("name", Shape::string(), "the name in it")});
  const Shape left = Shape::object({required("header", Shape::string(), "header with the requests left"),
                                    required("of", Shape::string(), "header with the requests of the day")});
  const Shape renewed =
      Shape::object({field("at", Shape::string(), "time of the day: 00:00"),
                     field("zone", Shape::string(), "America/Chicago"),
                     field("after", Shape::duration(), "nobody says when: ask again then; 1h")});
  const Shape quota =
      Shape::object({field("ratio", ratio, "how much is used is told in one header"),
                     field("left", left, "how much is left is told in two headers"),
                     field("count", Shape::string(), "requests of a day, counted by ourselves"),
                     field("stop_at", Shape::string(), "share of the quota from which on we stop"),
                     field("renewed", renewed, "when there is a new one")});
  const Shape row = Shape::object({field("objects", Shape::list(Shape::string()), "only for these objects"),
                                   required("max", Shape::integer(), "requests that write one record"),
                                   required("window", Shape::duration(), "in any such time")});
  return Shape::object({field("concurrency", Shape::integer(), "requests at a time"),
                        field("buckets", Shape::list(bucket), "requests per time"),
                        field("named", Shape::map(Shape::list(bucket)),
                              "further limits, for the requests that name one with `limit`"),
                        field("headers", Shape::list(reader), "what replies say about the rest of a budget"),
                        field("quota", quota, "what may be asked in a day"),
                        field("rows", Shape::list(row), "how often one record may be written")});
}

QuotaSpec SpecReader::quota(const Node& node) const {
  QuotaSpec out;
  out.ratio_header = node["ratio"]["header"].as_string("");
  out.ratio_name = node["ratio"]["name"].as_string("");
  out.left_header = node["left"]["header"].as_string("");
  out.most_header = node["left"]["of"].as_string("");
  out.count = placeholders(node["count"], false);
  out.stop_at = placeholders(node["stop_at"], false);
  const Node renewed = node["renewed"];
  out.zone = renewed["zone"].as_string("");
  if (renewed["zone"].exists() && !is_time_zone(out.zone))
    renewed["zone"].fail("connector.zone", fmt::format("`{}` is not a time zone", out.zone),
                         "write it like America/Chicago");
  int hours = 0, minutes = 0;
  if (renewed["at"].exists() &&
      (std::sscanf(renewed["at"].text().c_str(), "%2d:%2d", &hours, &minutes) != 2 || hours < 0 ||
       hours > 23 || minutes < 0 || minutes > 59))
    renewed["at"].fail("connector.time", fmt::format("`{}` is not a time of the day", renewed["at"].text()),
                       "write it like 00:00");
  out.at = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  if (renewed["after"].exists()) out.ask_again = renewed["after"].as_duration();
  return out;
}

RowLimitSpec SpecReader::row_limit(const Node& node) const {
  RowLimitSpec out;
  for (const Node& object : node["objects"].items()) out.objects.push_back(object.text());
  out.max = static_cast<std::size_t>(std::max<std::int64_t>(1, node["max"].as_integer()));
  out.window = node["window"].as_duration();
  return out;
}

LimitsSpec SpecReader::limits(const Node& node) const {
  LimitsSpec out;
  if (node["concurrency"].exists())
    out.concurrency = static_cast<std::size_t>(std::max<std::int64_t>(1, node["concurrency"].as_integer()));
  const auto buckets = [&](const Node& list) {
    std::vector<BucketSpec> all;
    for (const Node& bucket : list.items())
      all.emplace_back(placeholders(bucket["max"], false), bucket["window"].as_duration());
    return all;
  };
  out.buckets = buckets(node["buckets"]);
  for (const auto& entry : node["named"].entries()) out.named[entry.name] = buckets(entry.value);
  for (const Node& item : node["headers"].items()) {
    http::HeaderReader reader;
    reader.remaining = item["remaining"].text();
    reader.reset = item["reset"].as_string("");
    const std::string as = item["reset_as"].as_string("seconds");
    reader.reset_as = as == "unix_time"      ? http::HeaderReader::Reset::unix_time
                      : as == "milliseconds" ? http::HeaderReader::Reset::milliseconds
                      : as == "window_ms"    ? http::HeaderReader::Reset::window_ms
                                             : http::HeaderReader::Reset::seconds;
    if (item["otherwise"].exists()) reader.otherwise = item["otherwise"].as_duration();
    out.headers.push_back(std::move(reader));
  }
  if (node["quota"].exists()) out.quota = quota(node["quota"]);
  for (const Node& item : node["rows"].items()) out.rows.push_back(row_limit(item));
  return out;
}

}  // namespace eddy::connectors
