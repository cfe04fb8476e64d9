// A connector's manual as a page of the reference: docs/reference/connectors/<service>.md.
#include <fmt/format.h>

#include <algorithm>

#include "connectors/declarative/library.h"
#include "core/text.h"

namespace eddy::connectors {
namespace {

using Operation = ConnectorManual::Operation;

// Text inside a Markdown table.
std::string cell(std::string text) { return replace_all(std::move(text), "|", "\\|"); }

std::string code_list(const std::vector<std::string>& names, std::string_view separator = ", ") {
  std::vector<std::string> out;
  for (const std::string& name : names)
    out.push_back(name.find(' ') == std::string::npos ? "`" + name + "`" : name);
  return cell(join(out, separator));
}

std::string upper_case(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string shown_as(const std::string& operation) {
  if (operation == "erase") return "`removed: delete`";
  if (operation == "archive") return "`removed: archive`";
  if (operation == "lookup") return "reading by key";
  return fmt::format("`mode: {}`", operation);
}

std::string keys_text(const ConnectorManual& m, const Operation& o) {
  std::string out = o.keys.empty() ? "any" : code_list(o.keys);
  if (o.keys.empty() && o.known_keys) out = fmt::format("any that {} calls unique", m.title);
  if (!o.keys_not.empty()) out += " but " + code_list(o.keys_not);
  return out;
}

std::string operations_table(const ConnectorManual& m) {
  std::string out =
      "| | objects | key | rows in a request | how | when an answer is lost |\n|---|---|---|---|---|---|\n";
  for (const Operation& o : m.operations) {
    std::string size = with_commas(o.rows_max);
    if (o.bytes_max > 0) size += ", " + human_bytes(o.bytes_max);
    std::vector<std::string> how = o.steps;
    if (!o.matching.empty()) how.push_back("rows in a reply: " + join(o.matching, ", then "));
    out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", shown_as(o.name),
                       o.objects.empty() ? "all" : code_list(o.objects), keys_text(m, o), size,
                       cell(join(how, "; ")),
                       o.name == "lookup" ? "asked again"
                       : o.repeatable     ? "sent again"
                                          : "**in doubt**: looked up, or a person decides");
  }
  return out;
}

std::string settings_table(const ConnectorManual& m) {
  std::string out = "| setting | what | default |\n|---|---|---|\n";
  for (const auto& s : m.settings) {
    std::string marks = s.required ? " **Needed.**" : "";
    if (s.secret) marks += " Secret.";
    out += fmt::format("| `{}` | {}.{} | {} |\n", s.name, cell(s.doc), marks,
                       s.otherwise.empty() ? "" : "`" + cell(s.otherwise) + "`");
  }
  out += "| `allow_http` | permit unencrypted http:// to another machine. | `false` |\n";
  out += "| `timeout` | longest time for one request. | `2m` |\n";
  return out;
}

std::string options_table(const ConnectorManual& m) {
  std::string out = "| option | of | what | default |\n|---|---|---|---|\n";
  for (const auto& o : m.options) {
    std::string what = cell(o.doc);
    if (!o.values.empty()) what += ": " + code_list(o.values);
    out += fmt::format("| `{}` | {} | {} | {} |\n", o.name, o.objects.empty() ? "all" : code_list(o.objects),
                       what, o.otherwise.empty() ? "" : "`" + cell(o.otherwise) + "`");
  }
  return out;
}

// The settings that one must write: what is required, and the first way to log in.
std::string connection_example(const ConnectorManual& m) {
  std::string out = fmt::format("# connections.yml\n{}:\n  type: {}\n", m.name, m.name);
  for (const auto& s : m.settings) {
    const bool logs_in = !m.credentials.empty() && std::find(m.credentials[0].begin(), m.credentials[0].end(),
                                                             s.name) != m.credentials[0].end();
    if ((s.required && s.otherwise.empty()) || logs_in)
      out += fmt::format("  {}: ${{{}_{}}}\n", s.name, upper_case(m.name), upper_case(s.name));
  }
  return out;
}

bool is_word(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

std::string sync_example(const ConnectorManual& m) {
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  // The first way to write the first object that is one, not a pattern for many.
  const Operation* mode = nullptr;
  const ConnectorManual::Object* object = nullptr;
  for (const char* name : {"upsert", "update", "insert"})
    for (const auto& candidate : m.objects)
      for (const Operation& o : m.operations)
        if (mode == nullptr && o.name == name && candidate.name.find('{') == std::string::npos &&
            (o.objects.empty() || has(o.objects, candidate.name)))
          mode = &o, object = &candidate;
  if (mode == nullptr) return "";
  std::string key;
  for (const auto* keys : {&object->keys, &mode->keys})
    for (const std::string& name : *keys)
      if (key.empty() && is_word(name) && !has(mode->keys_not, name) &&
          (mode->keys.empty() || has(mode->keys, name)))
        key = name;
  if (key.empty()) key = "External_Id__c";
  std::string column = lower(key);
  if (column.ends_with("__c")) column.resize(column.size() - 3);
  std::string out = fmt::format(
      "# syncs/{}_{}.yml\nmodel: presentation.customer_360\ndestination: {}\nobject: {}\nkey: {{{}: {}}}\n",
      m.name, lower(replace_all(object->name, " ", "_")), m.name, object->name, key,
      is_word(column) ? column : "key");
  if (mode->name != "upsert") out += fmt::format("mode: {}\n", mode->name);
  out += fmt::format("# then: eddy map {}_{} --write\n", m.name, lower(replace_all(object->name, " ", "_")));
  return out;
}

}  // namespace

std::string manual_page(const ConnectorManual& m) {
  std::string out = fmt::format(
      "<!-- Generated from connectors/{}/connector.yml by `make docs`; do not edit. -->\n# {}\n\n`type: {}` "
      "— {}.\n",
      m.name, m.title, m.name, m.summary);
  if (!m.contract.empty()) out += fmt::format("The service's own documentation: <{}>.\n", m.contract);
  out += fmt::format("\n## Connection\n\n```yaml\n{}```\n\n", connection_example(m));
  if (!m.credentials.empty()) {
    out += m.credentials.size() == 1 ? "To log in:\n\n"
                                     : "To log in, one of these; the first that is complete is taken:\n\n";
    for (std::size_t i = 0; i < m.credentials.size(); ++i)
      out += fmt::format("- {} ({})\n",
                         m.credentials[i].empty() ? "nothing" : code_list(m.credentials[i], " + "),
                         m.credentials_how[i]);
    out += "\n";
  }
  out +=
      settings_table(m) +
      "\nEvery value may be `${NAME}` or `${NAME:-default}`, from the environment or `.env`: the place for "
      "secrets.\n";

  if (!m.needs.empty()) {
    out +=
        fmt::format("\n`eddy connectors test {}` logs in and tells which of these is missing:\n\n", m.name);
    for (const auto& [what, missing] : m.needs) out += fmt::format("- {}: {}\n", what, missing);
  }

  out += "\n## Objects\n\n";
  if (!m.objects.empty()) {
    out += "| object | what | keys |\n|---|---|---|\n";
    for (const auto& o : m.objects)
      out += fmt::format("| `{}` | {} | {} |\n", cell(o.name), cell(o.doc), code_list(o.keys));
    out += "\n";
  }
  if (m.open_objects) out += fmt::format("Others by {}'s own name for them.\n", m.title);
  out += m.discovers ? fmt::format(
                           "Fields are read from {0}: `eddy connectors {1} OBJECT` lists them, and "
                           "`eddy validate` checks mappings against them.\n",
                           m.title, m.name)
                     : fmt::format(
                           "{} does not say which fields it has; those that are known: `eddy connectors {} "
                           "OBJECT`.\n",
                           m.title, m.name);

  if (!m.options.empty())
    out +=
        "\n## Options of a sync\n\nUnder `options:` in its file. `{name}` is the connection's setting.\n\n" +
        options_table(m);
  out += "\n## What a sync can do\n\nThe first line that fits mode, object and key is taken.\n\n" +
         operations_table(m);
  const auto has = [&](const char* name) {
    return std::any_of(m.operations.begin(), m.operations.end(),
                       [&](const Operation& o) { return o.name == name; });
  };
  std::vector<std::string> missing;
  for (const char* name : {"upsert", "update", "insert", "erase", "archive"})
    if (!has(name)) missing.push_back(shown_as(name));
  if (!missing.empty()) out += fmt::format("\nNot possible: {}.\n", join(missing, ", "));
  if (!has("lookup"))
    out += fmt::format(
        "\nRecords cannot be read by their key: `write: if_empty`, `write: on_create`, `lookup:` and `plan "
        "--refresh` "
        "are not to be had for {}.\n",
        m.title);
  if (!m.behaviours.empty()) {
    out += "\n## Values\n\n";
    for (const std::string& behaviour : m.behaviours) out += fmt::format("- {}\n", behaviour);
  }
  out += fmt::format(
      "\n## Limits\n\nAll syncs of a connection share them, over all processes on a project.\n\n"
      "- {} request{} at a time\n",
      m.concurrency, m.concurrency == 1 ? "" : "s");
  for (const std::string& limit : m.limits) out += fmt::format("- {}\n", limit);
  if (const std::string example = sync_example(m); !example.empty())
    out += fmt::format("\n## Example\n\n```yaml\n{}```\n", example);
  return out;
}

}  // namespace eddy::connectors
