// Names of people, companies and things that do not exist; addresses end in .example, which nobody can own
// (RFC 2606).
#pragma once

#include <array>
#include <string_view>

namespace shop {

using namespace std::string_view_literals;

inline constexpr std::array first_names = {
    "Anna"sv,    "Bram"sv,  "Carla"sv,  "Dmitri"sv, "Elif"sv,  "Farid"sv,  "Greta"sv,  "Hugo"sv,  "Ines"sv,
    "Jonas"sv,   "Kaja"sv,  "Liam"sv,   "Mira"sv,   "Nils"sv,  "Olga"sv,   "Pavel"sv,  "Quinn"sv, "Rosa"sv,
    "Samir"sv,   "Tove"sv,  "Ursula"sv, "Viktor"sv, "Wanda"sv, "Ximena"sv, "Yara"sv,   "Zeno"sv,  "Amélie"sv,
    "Björn"sv,   "Chloé"sv, "Dörte"sv,  "Emre"sv,   "Fiona"sv, "Gustav"sv, "Helena"sv, "Ivo"sv,   "Jana"sv,
    "Kofi"sv,    "Lena"sv,  "Mateo"sv,  "Nora"sv,   "Oskar"sv, "Paula"sv,  "Rafael"sv, "Søren"sv, "Tereza"sv,
    "Umberto"sv, "Vera"sv,  "Willem"sv, "Yusuf"sv,  "Zofia"sv};

inline constexpr std::array last_names = {
    "Adler"sv,   "Bakker"sv, "Castro"sv,   "Dahl"sv,      "Eklund"sv,  "Fischer"sv, "García"sv,  "Hansen"sv,
    "Ivanova"sv, "Jensen"sv, "Kowalski"sv, "Lindqvist"sv, "Meyer"sv,   "Novak"sv,   "O'Neill"sv, "Pereira"sv,
    "Quist"sv,   "Rossi"sv,  "Schmidt"sv,  "Tanaka"sv,    "Ünal"sv,    "Vogel"sv,   "Weber"sv,   "Xu"sv,
    "Yilmaz"sv,  "Zeman"sv,  "Andersen"sv, "Brandt"sv,    "Costa"sv,   "Duarte"sv,  "Engel"sv,   "Ferrari"sv,
    "Grønn"sv,   "Horvat"sv, "Ibrahim"sv,  "Janssen"sv,   "Keller"sv,  "Laurent"sv, "Moreau"sv,  "Nilsson"sv,
    "Okafor"sv,  "Petrov"sv, "Richter"sv,  "Santos"sv,    "Thomsen"sv, "Urbán"sv,   "Visser"sv,  "Wagner"sv,
    "Young"sv,   "Zhang"sv};

inline constexpr std::array company_heads = {"Alder"sv,   "Basalt"sv,  "Cedar"sv,  "Delta"sv,  "Ember"sv,
                                             "Fjord"sv,   "Granite"sv, "Harbor"sv, "Indigo"sv, "Juniper"sv,
                                             "Kestrel"sv, "Lantern"sv, "Meadow"sv, "North"sv,  "Orchard"sv,
                                             "Pebble"sv,  "Quartz"sv,  "River"sv,  "Spruce"sv, "Timber"sv};
inline constexpr std::array company_tails = {
    "Analytics"sv, "Bikes"sv,     "Clinics"sv, "Foods"sv,     "Freight"sv, "Games"sv,
    "Insurance"sv, "Interiors"sv, "Labs"sv,    "Logistics"sv, "Media"sv,   "Outdoor"sv,
    "Press"sv,     "Robotics"sv,  "Studio"sv,  "Tools"sv,     "Travel"sv,  "Works"sv};

inline constexpr std::array countries = {"DE"sv, "DE"sv, "DE"sv, "FR"sv, "FR"sv, "NL"sv, "SE"sv, "PL"sv,
                                         "ES"sv, "IT"sv, "GB"sv, "GB"sv, "US"sv, "US"sv, "US"sv, "CA"sv};

inline constexpr std::array ticket_subjects = {
    "Cannot export my report"sv,     "Invoice shows the wrong address"sv, "Login link never arrives"sv,
    "How do I invite my team?"sv,    "Dashboard is slow since Monday"sv,  "Please cancel my renewal"sv,
    "API returns 429 all morning"sv, "Missing rows after import"sv,       "Question about the Pro plan"sv,
    "Two-factor code not accepted"sv};

}  // namespace shop
