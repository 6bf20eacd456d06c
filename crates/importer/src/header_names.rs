//! The names that columns have in recordings, in eight languages: one table, which decides what a named column holds.
//!
//! Names are compared as [`normalised`]: `crashPoint`, `Crash_Point` and `CRASH POINT` are one name, accents aside.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a column holds, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// When the round ended.
    Time,
    /// What the round ended at.
    Multiplier,
    /// What the round ended at, or money: the values decide.
    MaybeMultiplier,
    /// A multiplier of something else: a bet's target, a forecast, an average.
    OtherMultiplier,
    /// A number or a text that names a round, a player or a row.
    Id,
    /// An amount of money.
    Money,
    /// A number of players, bets or seconds.
    Count,
    /// What the round was doing when the row was written.
    State,
    /// A measured quantity that has nothing to do with rounds.
    Measurement,
    /// Not in the table.
    Unknown,
}

/// All known names. Of several columns of times the one whose name stands first is taken.
pub const NAMES: &[(Role, &[&str])] = &[
    (Role::Time, TIME_EN),
    (Role::Time, TIME_OTHERS),
    (Role::Multiplier, MULTIPLIER),
    (Role::MaybeMultiplier, MAYBE_MULTIPLIER),
    (Role::Id, ID),
    (Role::Money, MONEY),
    (Role::Count, COUNT),
    (Role::State, STATE),
    (Role::Measurement, MEASUREMENT),
];

const TIME_EN: &[&str] = &[
    "timestamp",
    "ended at",
    "end time",
    "crashed at",
    "crash time",
    "finished at",
    "completed at",
    "round end",
    "datetime",
    "date time",
    "date and time",
    "time stamp",
    "timestamp utc",
    "timestamp ms",
    "unix timestamp",
    "unix time",
    "unix ms",
    "epoch ms",
    "epoch",
    "unix",
    "ts",
    "time utc",
    "datetime utc",
    "utc",
    "local time",
    "time",
    "recorded at",
    "observed at",
    "captured at",
    "logged at",
    "scraped at",
    "played at",
    "round time",
    "game time",
    "created at",
    "created",
    "updated at",
    "started at",
    "start time",
    "date",
    "when",
];

const TIME_OTHERS: &[&str] = &[
    // Portuguese
    "data hora",
    "data e hora",
    "data horario",
    "carimbo de data hora",
    "registrado em",
    "criado em",
    "horario",
    "momento",
    "instante",
    "data",
    "hora",
    "tempo",
    // Spanish
    "fecha hora",
    "fecha y hora",
    "marca de tiempo",
    "registrado en",
    "creado en",
    "fecha",
    "tiempo",
    // Russian
    "дата и время",
    "дата время",
    "метка времени",
    "время",
    "дата",
    "момент",
    "создано",
    // German
    "zeitstempel",
    "zeitpunkt",
    "datum und uhrzeit",
    "datum uhrzeit",
    "datum zeit",
    "erstellt am",
    "datum",
    "uhrzeit",
    "zeit",
    // French
    "horodatage",
    "date et heure",
    "date heure",
    "cree le",
    "heure",
    "instant",
    "moment",
    // Turkish
    "zaman damgasi",
    "tarih ve saat",
    "tarih saat",
    "tarih",
    "zaman",
    "saat",
    // Hindi, transliterated
    "dinank samay",
    "tarikh samay",
    "tarikh aur samay",
    "samay",
    "tarikh",
    "dinank",
    "waqt",
    "vaqt",
];

const MULTIPLIER: &[&str] = &[
    "multiplier",
    "mult",
    "multi",
    "crash point",
    "crashpoint",
    "crash value",
    "crash",
    "bust",
    "bust point",
    "odds",
    "odd",
    "coefficient",
    "coef",
    "coeff",
    "x",
    // Portuguese, Spanish
    "multiplicador",
    "coeficiente",
    "ponto de crash",
    "punto de crash",
    "fator",
    "factor",
    "vela",
    "cuota",
    "cotacao",
    // Russian
    "коэффициент",
    "коэф",
    "кэф",
    "кф",
    "множитель",
    "мультипликатор",
    "икс",
    "краш",
    // German, French
    "multiplikator",
    "koeffizient",
    "faktor",
    "quote",
    "absturzpunkt",
    "multiplicateur",
    "facteur",
    "cote",
    // Turkish
    "carpan",
    "katsayi",
    "oran",
    "kat",
    // Hindi, transliterated
    "gunak",
    "gunank",
    "gunaank",
    "guna",
    "gunaa",
];

const MAYBE_MULTIPLIER: &[&str] = &[
    "payout",
    "payouts",
    "result",
    "results",
    "value",
    "outcome",
    "cashout",
    "resultado",
    "valor",
    "resultat",
    "ergebnis",
    "wert",
    "valeur",
    "sonuc",
    "deger",
    "результат",
    "значение",
    "parinaam",
    "natija",
    "maan",
];

const ID: &[&str] = &[
    "id",
    "ids",
    "uuid",
    "guid",
    "round",
    "round no",
    "round number",
    "round nr",
    "game",
    "game no",
    "game number",
    "hash",
    "seed",
    "index",
    "idx",
    "no",
    "nr",
    "num",
    "number",
    "row",
    "nonce",
    "user",
    "player",
    "name",
    "ref",
    "rodada",
    "ronda",
    "partida",
    "numero",
    "runde",
    "spiel",
    "nummer",
    "manche",
    "tour",
    "tur",
    "oyun",
    "sira",
    "раунд",
    "игра",
    "номер",
    "ид",
    "игрок",
    "kramank",
    "sankhya",
];

const MONEY: &[&str] = &[
    "stake",
    "bet",
    "bet amount",
    "wager",
    "amount",
    "payout amount",
    "profit",
    "win",
    "wins",
    "winning",
    "winnings",
    "win amount",
    "loss",
    "balance",
    "bankroll",
    "price",
    "prices",
    "cost",
    "fee",
    "total bet",
    "total win",
    "sum",
    "usd",
    "eur",
    "brl",
    "inr",
    "rub",
    "try",
    "currency",
    "money",
    "deposit",
    "pnl",
    "aposta",
    "ganho",
    "lucro",
    "saldo",
    "premio",
    "preco",
    "apuesta",
    "ganancia",
    "monto",
    "importe",
    "precio",
    "ставка",
    "выигрыш",
    "баланс",
    "сумма",
    "выплата",
    "цена",
    "einsatz",
    "gewinn",
    "kontostand",
    "betrag",
    "preis",
    "auszahlung",
    "mise",
    "gain",
    "gains",
    "solde",
    "montant",
    "prix",
    "bahis",
    "kazanc",
    "bakiye",
    "tutar",
    "fiyat",
    "daav",
    "jeet",
    "rashi",
    "paisa",
    "keemat",
];

const COUNT: &[&str] = &[
    "players",
    "player count",
    "players count",
    "users",
    "online",
    "bets",
    "bet count",
    "count",
    "counts",
    "qty",
    "quantity",
    "total",
    "duration",
    "duration ms",
    "seconds",
    "latency",
    "ping",
    "attempts",
    "jogadores",
    "apostas",
    "jugadores",
    "apuestas",
    "игроки",
    "ставки",
    "spieler",
    "joueurs",
    "paris",
    "oyuncular",
    "khiladi",
];

const STATE: &[&str] = &[
    "state",
    "status",
    "phase",
    "stage",
    "event",
    "event type",
    "type",
    "kind",
    "estado",
    "situacao",
    "fase",
    "состояние",
    "статус",
    "zustand",
    "etat",
    "statut",
    "durum",
    "asama",
    "sthiti",
];

const MEASUREMENT: &[&str] = &[
    "temperature",
    "temp",
    "humidity",
    "pressure",
    "lat",
    "latitude",
    "lon",
    "lng",
    "long",
    "longitude",
    "altitude",
    "speed",
    "weight",
    "height",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "rate",
    "score",
    "rating",
    "level",
    "probability",
    "percent",
    "confidence",
];

/// Words next to a multiplier's name that give it another meaning than the end of the round.
pub const NOT_THE_ROUNDS: &[&str] = &[
    "cashout",
    "cash",
    "cashed",
    "auto",
    "target",
    "predicted",
    "prediction",
    "forecast",
    "expected",
    "estimated",
    "user",
    "player",
    "my",
    "your",
    "bet",
    "max",
    "min",
    "maximum",
    "minimum",
    "avg",
    "average",
    "mean",
    "median",
    "prev",
    "previous",
    "last",
    "next",
    "std",
    "sum",
    "rolling",
    "threshold",
    "bonus",
    "lag",
    "saque",
    "alvo",
    "previsto",
    "media",
    "objetivo",
    "прогноз",
    "ziel",
    "mittel",
    "cible",
    "hedef",
    "diff",
    "log",
    "ema",
    "sma",
];

/// Names too short or too common to be recognized at the end of a longer name.
const WHOLE_NAMES: &[&str] = &[
    "x",
    "no",
    "utc",
    "when",
    "created",
    "data",
    "long",
    "kat",
    "open",
    "low",
    "high",
    "close",
    "try",
    "crash time",
];

/// Values of a state column, and whether each is the end of a round.
pub const STATE_WORDS: &[(&str, bool)] = &[
    ("crashed", true),
    ("crash", true),
    ("ended", true),
    ("end", true),
    ("finished", true),
    ("finish", true),
    ("busted", true),
    ("bust", true),
    ("complete", true),
    ("completed", true),
    ("closed", true),
    ("settled", true),
    ("over", true),
    ("game_over", true),
    ("gameover", true),
    ("flew_away", true),
    ("final", true),
    ("result", true),
    ("running", false),
    ("flying", false),
    ("started", false),
    ("start", false),
    ("starting", false),
    ("waiting", false),
    ("betting", false),
    ("pending", false),
    ("in_progress", false),
    ("progress", false),
    ("playing", false),
    ("tick", false),
    ("open", false),
    ("active", false),
    ("live", false),
    ("countdown", false),
    ("take_off", false),
    ("bets_open", false),
    ("bets_closed", false),
];

/// Returns whether a value of a state column says that the round has ended; `None` for an unknown word.
pub(crate) fn ends_round(value: &str) -> Option<bool> {
    let value = value.to_lowercase().replace([' ', '-'], "_");
    STATE_WORDS.iter().find(|(word, _)| *word == value).map(|(_, ends)| *ends)
}

/// Returns what a column of this name holds.
pub fn role(name: &str) -> Role {
    rank(&normalised(name)).0
}

/// Returns how early the name of a column of times stands in the table; smaller is better.
pub(crate) fn time_rank(name: &str) -> usize {
    rank(&normalised(name)).1
}

fn rank(name: &str) -> (Role, usize) {
    if let Some(found) = exact(name) {
        return found;
    }
    let words: Vec<&str> = name.split(' ').collect();
    let mut places = (1..words.len()).map(|at| words[at..].join(" "));
    let by_end =
        places.find_map(|end| exact(&end).filter(|_| !WHOLE_NAMES.contains(&end.as_str())));
    let by_start = || {
        let mut starts = (1..words.len()).rev().map(|at| words[..at].join(" "));
        let mut multipliers = starts.find_map(|start| exact(&start)).into_iter();
        multipliers.find(|(role, _)| *role == Role::Multiplier)
    };
    match by_end.or_else(by_start) {
        Some((Role::Multiplier | Role::MaybeMultiplier, rank))
            if words.iter().any(|word| NOT_THE_ROUNDS.contains(word)) =>
        {
            (Role::OtherMultiplier, rank)
        }
        // `bet time` is a time, but one that any better name beats.
        Some((role, rank)) => (role, rank + 1000),
        // A `prediction` is distributed as multipliers are.
        None if words.iter().any(|word| NOT_THE_ROUNDS.contains(word)) => {
            (Role::OtherMultiplier, usize::MAX)
        }
        None => (Role::Unknown, usize::MAX),
    }
}

/// Names with their role and their place in the table.
static PLACES: LazyLock<HashMap<&str, (Role, usize)>> = LazyLock::new(|| {
    let all = NAMES.iter().flat_map(|(role, names)| names.iter().map(|name| (*role, *name)));
    (0..).zip(all).map(|(at, (role, name))| (name, (role, at))).collect()
});

fn exact(name: &str) -> Option<(Role, usize)> {
    PLACES.get(name).copied()
}

/// Returns a name in lower case, without accents, its words separated by single spaces.
///
/// What stands in brackets is left out, as in `Multiplier (x)`.
pub fn normalised(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    let mut depth = 0_u32;
    let mut was_lower = false;
    for char in name.trim_start_matches('\u{feff}').chars() {
        match char {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if char.is_alphanumeric() => {
                if was_lower && char.is_uppercase() {
                    words.push(' ');
                }
                was_lower = char.is_lowercase();
                char.to_lowercase().for_each(|char| push_plain(char, &mut words));
            }
            // Combining accents.
            '\u{300}'..='\u{36f}' => {}
            _ => {
                was_lower = false;
                words.push(' ');
            }
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn push_plain(char: char, text: &mut String) {
    let plain = match char {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ā' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' | 'ē' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ı' | 'ī' => 'i',
        'ñ' | 'ṇ' => 'n',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'ū' => 'u',
        'ğ' => 'g',
        'ş' => 's',
        'ё' => 'е',
        '\u{300}'..='\u{36f}' => return,
        _ => char,
    };
    text.push(plain);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_however_they_are_written() {
        for name in [
            "crashPoint",
            "Crash_Point",
            "CRASH POINT",
            "Multiplicador",
            "ÇARPAN",
            "Коэффициент",
            "Multiplier (x)",
            "actual_multiplier",
            "node.crashPoint",
            "data.round.multiplier",
            "multiplicador_final",
            "Gunak",
        ] {
            assert_eq!(role(name), Role::Multiplier, "{name}");
        }
        for name in [
            "Timestamp",
            "createdAt",
            "Data/Hora",
            "Fecha y Hora",
            "Дата и время",
            "Zeitstempel",
            "Créé le",
            "Tarih",
            "Samay",
            "timestamp_utc",
            "node.created_at",
        ] {
            assert_eq!(role(name), Role::Time, "{name}");
        }
        for name in [
            "cashout_multiplier",
            "predictedMultiplier",
            "avg multiplier",
            "Target Odds",
            "bet_multiplier",
        ] {
            assert_eq!(role(name), Role::OtherMultiplier, "{name}");
        }
        for (name, expected) in [
            ("round_id", Role::Id),
            ("RoundId", Role::Id),
            ("stake", Role::Money),
            ("player_count", Role::Count),
            ("state", Role::State),
            ("payout", Role::MaybeMultiplier),
            ("price", Role::Money),
            ("lat", Role::Measurement),
            ("Unnamed: 0", Role::Unknown),
            ("", Role::Unknown),
            ("source", Role::Unknown),
        ] {
            assert_eq!(role(name), expected, "{name}");
        }
    }

    #[test]
    fn every_name_of_the_table_stands_there_once_and_normalised() {
        let mut all: Vec<&str> =
            NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert!(all.iter().all(|name| normalised(name) == *name));
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
