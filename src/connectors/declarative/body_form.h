// The body of an operation as a form with blanks: everything that is the same for all rows is written once,
// when the writer is made, and a row only fills in its own values, as text. Ten times as fast as a JSON
// document (template.h), which stays the way for trees that a form cannot express; the text is the same, byte
// for byte.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/declarative/cells.h"
#include "connectors/declarative/template.h"

namespace eddy::connectors {

class BodyForm {
 public:
  // nullopt: this body needs the document. `lookup` gives what is the same for all rows; `single`: the
  // request carries one row, which may be meant outside `each:` too.
  static std::optional<BodyForm> compile(const Tree& tree, const Lookup& lookup, bool single,
                                         const Schema& key, const Schema& fields);

  // The body that carries these changes, as far as they can be sent (render_row() says when), and their rows:
  // of each the trace and the key's text, when the answer will be matched by them (`named`).
  std::string write(std::span<const Change> changes, const TransformSpec& transforms, bool named,
                    RenderedBatch& batch) const;

 private:
  enum class Blank { none, key, fields, all, trace, index, spread_fields, spread_all };
  // A piece of fixed text, then a blank.
  struct Piece {
    std::string text;
    Blank blank = Blank::none;
  };
  using Pieces = std::vector<Piece>;
  struct Member {
    std::string name;        // "\"ltv\":"
    std::size_t field = 0;   // place in the fields; that of the key is beyond them
    std::string fixed = {};  // beside spread fields: what it says for every row
  };
  static constexpr std::size_t no_field = static_cast<std::size_t>(-1);

  // They are false when a form cannot express it.
  bool add(const Tree& tree, const Lookup& lookup);
  bool add_leaf(const Template& leaf, const Lookup& lookup);
  bool add_map(const Tree& tree, const Lookup& lookup);
  bool add_each(const Tree& tree, const Lookup& lookup);
  bool add_spread(const Tree& tree, const Lookup& lookup);
  bool plan_members(const Schema& key, const Schema& fields);
  // What cannot be sent is told instead of being written; `out` is then to be cut back.
  std::optional<Verdict> fill(std::string& out, const Pieces& pieces, const Change* change, std::size_t index,
                              const TransformSpec& transforms) const;
  std::optional<Verdict> write_members(std::string& out, const Change& change, bool with_key,
                                       const TransformSpec& transforms,
                                       const std::vector<Member>& members) const;
  std::optional<Verdict> write_key(std::string& out, const Change& change,
                                   const TransformSpec& transforms) const;
  std::string text_of_key(const Change& change, const TransformSpec& transforms) const;
  Verdict null_key() const;
  Verdict unsendable(const std::string& field, const std::string& why) const;
  void say(std::string_view text) { here().back().text += text; }
  void leave(Blank blank);
  Pieces& here() { return in_each_ ? each_ : (has_each_ ? after_ : before_); }

  Pieces before_ = Pieces(1), each_ = Pieces(1), after_ = Pieces(1);  // of the list of rows
  bool has_each_ = false, in_each_ = false, single_ = false;
  std::string key_name_;
  std::vector<std::string> field_names_;
  std::vector<Member> members_;  // of {row.all}, by name, as a document has them
  std::vector<Member> spread_;   // the same with what stands beside them; the key can be there twice
};

}  // namespace eddy::connectors
