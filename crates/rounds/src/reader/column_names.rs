//! Names that headers give to the columns of a recording.

/// What a column holds according to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnName {
    /// The time at which the round ended.
    Time,
    /// The multiplier at which the round ended, and nothing else.
    Multiplier,
    /// The multiplier in some recordings; money or a bet's odds in others, so the values decide.
    PerhapsMultiplier,
    /// The game's own id of the round.
    RoundId,
    /// The state of a round in a recording with several rows per round.
    State,
    /// An attribute of a bet, so that a round may have several rows.
    Bet,
    /// None of these.
    Other,
}

/// Names of the column of times, in lower case with single spaces; our own first.
pub const TIME_NAMES: [&str; 52] = [
    "timestamp",
    "time",
    "datetime",
    "date time",
    "date",
    "date and time",
    "ended at",
    "end time",
    "finished at",
    "crashed at",
    "recorded at",
    "observed at",
    "created at",
    "round time",
    // Portuguese
    "hora",
    "data",
    "data hora",
    "data/hora",
    "data e hora",
    "horário",
    "horario",
    // Spanish
    "fecha",
    "fecha hora",
    "fecha/hora",
    "fecha y hora",
    "tiempo",
    // Russian
    "время",
    "дата",
    "дата время",
    "дата/время",
    "дата и время",
    // German
    "zeit",
    "zeitpunkt",
    "zeitstempel",
    "datum",
    "uhrzeit",
    "datum/uhrzeit",
    // French
    "heure",
    "date heure",
    "date/heure",
    "date et heure",
    "horodatage",
    // Turkish
    "zaman",
    "zaman damgası",
    "tarih",
    "tarih saat",
    "tarih/saat",
    "saat",
    // Hindi, transliterated
    "samay",
    "dinank",
    "tarikh",
    "waqt",
];

/// Names that mean only the final multiplier of a round; our own first.
pub const MULTIPLIER_NAMES: [&str; 34] = [
    "multiplier",
    "actual multiplier",
    "final multiplier",
    "crash multiplier",
    "round multiplier",
    "game multiplier",
    "crash point",
    "crashpoint",
    "crash value",
    "bust",
    "bust point",
    "busted at",
    "coefficient",
    "coef",
    // Portuguese; players call the rising curve a candle.
    "multiplicador",
    "multiplicador final",
    "vela",
    "velas",
    // Spanish
    "coeficiente",
    // Russian
    "множитель",
    "мультипликатор",
    "коэффициент",
    "коэф",
    // German
    "multiplikator",
    "koeffizient",
    // French
    "multiplicateur",
    "coefficient final",
    // Turkish
    "çarpan",
    "carpan",
    "katsayı",
    "katsayi",
    // Hindi, transliterated
    "gunak",
    "gunank",
    "gunan",
];

/// Names that mean the multiplier in some recordings only.
pub const PERHAPS_MULTIPLIER_NAMES: [&str; 16] = [
    "payout",
    "odds",
    "odd",
    "crash",
    "result",
    "resultado",
    "resultat",
    "ergebnis",
    "результат",
    "sonuç",
    "quote",
    "cote",
    "cuota",
    "cotação",
    "oran",
    "x",
];

const ROUND_ID_NAMES: [&str; 10] = [
    "id",
    "round id",
    "roundid",
    "round",
    "game id",
    "gameid",
    "game",
    "round number",
    "rodada",
    "ronda",
];

const STATE_NAMES: [&str; 7] =
    ["state", "status", "phase", "event", "game state", "round state", "estado"];

const BET_NAMES: [&str; 17] = [
    "bet",
    "bet id",
    "bet amount",
    "stake",
    "wager",
    "amount",
    "user",
    "user id",
    "username",
    "player",
    "player id",
    "win",
    "winnings",
    "profit",
    "cashout",
    "cashed out",
    "aposta",
];

impl ColumnName {
    /// Returns what a column of this name holds.
    pub fn of(name: &str) -> Self {
        let name = normalized(name);
        let is_in = |names: &[&str]| names.contains(&name.as_str());
        if is_in(&TIME_NAMES) {
            Self::Time
        } else if is_in(&MULTIPLIER_NAMES) {
            Self::Multiplier
        } else if is_in(&PERHAPS_MULTIPLIER_NAMES) {
            Self::PerhapsMultiplier
        } else if is_in(&ROUND_ID_NAMES) {
            Self::RoundId
        } else if is_in(&STATE_NAMES) {
            Self::State
        } else if is_in(&BET_NAMES) {
            Self::Bet
        } else {
            Self::Other
        }
    }
}

/// Lower case, with underscores, hyphens and repeated white space as single spaces: `Crash_Point` is
/// `crash point`.
pub(crate) fn normalized(name: &str) -> String {
    let spaced = name.to_lowercase().replace(['_', '-'], " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_whatever_their_case_and_separators() {
        for name in ["timestamp", " Date_Time ", "DATA-HORA", "Дата и время", "Tarih/Saat"]
        {
            assert_eq!(ColumnName::of(name), ColumnName::Time, "{name}");
        }
        for name in ["Multiplier", "crash_point", "Crash-Point", "ÇARPAN", "Коэффициент"]
        {
            assert_eq!(ColumnName::of(name), ColumnName::Multiplier, "{name}");
        }
    }

    #[test]
    fn money_and_plans_are_not_named_multipliers() {
        for name in ["stake", "price", "cashout_multiplier", "predicted_multiplier", "balance", ""]
        {
            let found = ColumnName::of(name);
            assert!(matches!(found, ColumnName::Bet | ColumnName::Other), "{name}: {found:?}");
        }
    }

    #[test]
    fn every_listed_name_is_in_its_normal_form_and_in_one_list() {
        let all = [&TIME_NAMES[..], &MULTIPLIER_NAMES, &PERHAPS_MULTIPLIER_NAMES, &ROUND_ID_NAMES]
            .concat();
        let all = [&all[..], &STATE_NAMES, &BET_NAMES].concat();
        for name in &all {
            assert_eq!(&normalized(name), name);
            assert_eq!(all.iter().filter(|other| other == &name).count(), 1, "{name}");
        }
    }
}
