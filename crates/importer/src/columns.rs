//! Which columns hold the time and the multiplier: by their names and by their contents, or not at all.

use crate::column_profile::ColumnProfile;
use crate::header_names::{Role, normalised, time_rank};
use crate::number_forms::{Convention, Scale};
use crate::options::Options;
use crate::plausibility::{self, Implausible, Numbers};
use crate::refusal::{Refusal, RefusalKind};
use crate::time_forms::NumericTime;

/// Where the times of rounds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeSource {
    /// Nowhere; they are generated.
    None,
    /// In one column, as texts.
    Text(usize),
    /// In one column, as numbers.
    Numbers(usize, NumericTime),
    /// In a column of dates and one of times of day.
    DateAndClock(usize, usize),
}

/// The columns that are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Columns {
    pub(crate) time: TimeSource,
    pub(crate) multiplier: usize,
    pub(crate) convention: Convention,
    /// The game's id of the round.
    pub(crate) round_id: Option<usize>,
    /// A number that counts the rows or rounds.
    pub(crate) counter: Option<usize>,
    /// The state of the round, in a file with one row per tick.
    pub(crate) state: Option<usize>,
    /// The column of the filter.
    pub(crate) filter: Option<usize>,
}

/// Chooses the columns.
pub(crate) fn choose(profiles: &[ColumnProfile], options: &Options) -> Result<Columns, Refusal> {
    let seen = || profiles.iter().map(ColumnProfile::describe).collect();
    choose_all(profiles, options).map_err(|refusal| refusal.with_columns(seen))
}

fn choose_all(profiles: &[ColumnProfile], options: &Options) -> Result<Columns, Refusal> {
    let filter = options
        .filter
        .as_ref()
        .map(|filter| find(profiles, &filter.column, "--where"))
        .transpose()?;
    let explicit = options
        .time_column
        .as_ref()
        .map(|name| find(profiles, name, "--time-column"))
        .transpose()?;
    // Without a multiplier the file is not a recording, whatever its times are.
    let time = if options.without_times {
        Ok(TimeSource::None)
    } else {
        time_source(profiles, explicit, options)
    };
    let taken = match &time {
        Ok(TimeSource::Text(at) | TimeSource::Numbers(at, _)) => vec![*at],
        Ok(TimeSource::DateAndClock(date, clock)) => vec![*date, *clock],
        _ => Vec::new(),
    };
    let multiplier = multiplier(profiles, &taken, options)?;
    let time = time?;
    let is_free = |it: &&ColumnProfile| it.index != multiplier && !taken.contains(&it.index);
    let state = profiles.iter().filter(is_free).find(|it| it.is_state()).map(|it| it.index);
    let round_id = profiles.iter().filter(is_free).find(|it| is_round_id(it)).map(|it| it.index);
    let counter = profiles
        .iter()
        .filter(is_free)
        .find(|it| it.whole == it.values.len() && plausibility::direction(&it.values).is_some());
    Ok(Columns {
        time,
        multiplier,
        convention: Convention { decimal: options.decimal, ..profiles[multiplier].convention },
        round_id,
        counter: counter.map(|it| it.index),
        state,
        filter,
    })
}

/// Returns the column that a flag names, by its name or by its number from 1.
pub(crate) fn find(profiles: &[ColumnProfile], wanted: &str, flag: &str) -> Result<usize, Refusal> {
    let by = |is: &dyn Fn(&str) -> bool| {
        profiles.iter().find(|it| it.name.as_deref().is_some_and(is)).map(|it| it.index)
    };
    let number =
        || wanted.parse::<usize>().ok()?.checked_sub(1).filter(|index| *index < profiles.len());
    let plain = normalised(wanted);
    by(&|name| name.trim() == wanted)
        .or_else(|| by(&|name| normalised(name) == plain && !plain.is_empty()))
        .or_else(number)
        .ok_or_else(|| {
            let message =
                format!("{flag} {}: no column of this name or number", rounds::shell_word(wanted));
            Refusal::new(RefusalKind::NoSuchColumn, message)
        })
}

/// Returns whether it is an id of the round itself, not of a bet or a player.
pub(crate) fn is_round_id(profile: &ColumnProfile) -> bool {
    const ROUNDS: [&str; 15] = [
        "round",
        "game",
        "rodada",
        "ronda",
        "partida",
        "runde",
        "spiel",
        "manche",
        "tour",
        "tur",
        "oyun",
        "раунд",
        "раунда",
        "игра",
        "игры",
    ];
    const OTHERS: [&str; 6] = ["bet", "user", "player", "session", "table", "provider"];
    let name = normalised(profile.name.as_deref().unwrap_or_default());
    let mut words = name.split(' ');
    profile.role == Role::Id
        && words.clone().any(|word| ROUNDS.contains(&word))
        && !words.any(|word| OTHERS.contains(&word))
}

fn time_source(
    profiles: &[ColumnProfile],
    explicit: Option<usize>,
    options: &Options,
) -> Result<TimeSource, Refusal> {
    if let Some(index) = explicit {
        return explicit_time(profiles, index);
    }
    let is_named = |it: &&ColumnProfile| it.role == Role::Time;
    let texts = |it: &&ColumnProfile| {
        it.is_mostly(it.times, if it.role == Role::Time { 0.5 } else { 0.98 })
    };
    if let Some(index) = best(profiles.iter().filter(texts))? {
        return Ok(TimeSource::Text(index));
    }
    let numbers = |it: &&ColumnProfile| {
        it.numeric_time().is_some_and(|unit| {
            let is_unmistakable = unit != NumericTime::ExcelDays && it.name.is_none();
            is_named(it)
                || is_unmistakable
                    && plausibility::direction(&it.values).is_some()
                    && has_pace_of_rounds(&it.values, unit)
        })
    };
    if let Some(index) = best(profiles.iter().filter(numbers))?
        && let Some(unit) = profiles[index].numeric_time()
    {
        return Ok(TimeSource::Numbers(index, unit));
    }
    let date = profiles.iter().find(|it| it.is_mostly(it.dates, 0.9));
    let clock = profiles.iter().find(|it| it.is_mostly(it.clocks, 0.9));
    match (date, clock) {
        (Some(date), Some(clock)) => Ok(TimeSource::DateAndClock(date.index, clock.index)),
        (None, Some(clock)) if options.date.is_some() => Ok(TimeSource::Text(clock.index)),
        (None, Some(clock)) => Err(no_date(clock)),
        (date, None) => Err(no_times(profiles, date)),
    }
}

/// Returns whether numbers are as far apart as rounds are: ids of ten digits may be seconds since 1970 as well, but the
/// rounds of no game end every second.
fn has_pace_of_rounds(values: &[f64], unit: NumericTime) -> bool {
    let steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    (2.0..7200.0).contains(&(plausibility::median(&steps) / unit.per_second()))
}

/// Returns the column with the best name; two columns without a known name are ambiguous.
fn best<'a>(columns: impl Iterator<Item = &'a ColumnProfile>) -> Result<Option<usize>, Refusal> {
    let rank = |it: &ColumnProfile| {
        it.name.as_deref().map_or(usize::MAX, |name| match it.role {
            Role::Time => time_rank(name),
            _ => usize::MAX,
        })
    };
    let mut columns: Vec<&ColumnProfile> = columns.collect();
    columns.sort_by_key(|it| rank(it));
    match columns.as_slice() {
        [] => Ok(None),
        [first, second, ..] if rank(first) == rank(second) => {
            let mut refusal = Refusal::new(
                RefusalKind::SeveralTimeColumns,
                format!(
                    "the columns `{}` and `{}` may both hold the time of the round",
                    first.label(),
                    second.label()
                ),
            );
            for it in columns {
                refusal =
                    refusal.remedy(format!("--time-column {}", rounds::shell_word(&it.label())));
            }
            Err(refusal)
        }
        [first, ..] => Ok(Some(first.index)),
    }
}

fn explicit_time(profiles: &[ColumnProfile], index: usize) -> Result<TimeSource, Refusal> {
    let it = &profiles[index];
    if let Some(unit) = it.numeric_time() {
        return Ok(TimeSource::Numbers(index, unit));
    }
    let clock =
        profiles.iter().find(|other| other.index != index && other.is_mostly(other.clocks, 0.9));
    if let Some(clock) = clock.filter(|_| it.is_mostly(it.dates, 0.5)) {
        return Ok(TimeSource::DateAndClock(index, clock.index));
    }
    if it.times + it.clocks == 0 {
        let message = format!("--time-column: the column `{}` holds no times", it.label());
        return Err(no_times_with(&message));
    }
    Ok(TimeSource::Text(index))
}

fn no_date(clock: &ColumnProfile) -> Refusal {
    Refusal::new(
        RefusalKind::NoDate,
        format!("the column `{}` holds times of day without a date", clock.label()),
    )
    .remedy("--date YYYY-MM-DD")
    .remedy("--no-times")
}

fn no_times(profiles: &[ColumnProfile], date: Option<&ColumnProfile>) -> Refusal {
    if let Some(short) = profiles.iter().find(|it| it.is_mostly(it.short_years, 0.5)) {
        let first = short.distinct.first().cloned().unwrap_or_default();
        let message = format!(
            "the column `{}` holds dates with a year of two digits ({first}): write the year with four digits, since \
             no flag can tell the year from the day",
            short.label()
        );
        return Refusal::new(RefusalKind::TwoDigitYears, message).remedy("--no-times");
    }
    let Some(date) = date else { return no_times_with("no column holds times") };
    no_times_with(&format!("the column `{}` holds dates without a time of day", date.label()))
}

fn no_times_with(message: &str) -> Refusal {
    let message = format!(
        "{message}; with --no-times, times are generated at the game's usual pace and marked as estimates"
    );
    Refusal::new(RefusalKind::NoTimes, message).remedy("--no-times")
}

fn multiplier(
    profiles: &[ColumnProfile],
    taken: &[usize],
    options: &Options,
) -> Result<usize, Refusal> {
    if let Some(name) = &options.multiplier_column {
        return find(profiles, name, "--multiplier-column");
    }
    let free = || profiles.iter().filter(|it| !taken.contains(&it.index));
    let named: Vec<&ColumnProfile> = free().filter(|it| it.role == Role::Multiplier).collect();
    let maybe: Vec<&ColumnProfile> = free().filter(|it| it.role == Role::MaybeMultiplier).collect();
    let plausible = |it: &&&ColumnProfile| check(it, options).is_ok();
    let good: Vec<&ColumnProfile> = named.iter().filter(plausible).copied().collect();
    let rivals: Vec<&ColumnProfile> =
        maybe.iter().filter(plausible).copied().filter(|it| is_unmistakable(it, options)).collect();
    if let Some(first) = good.first() {
        let all = good.iter().chain(&rivals).filter(|it| it.values != first.values);
        let others: Vec<&ColumnProfile> = all.copied().collect();
        return if others.is_empty() { Ok(first.index) } else { Err(several(first, &others)) };
    }
    if let [only] | [only, _, ..] = named.as_slice() {
        return Err(implausible(only, check(only, options).err()));
    }
    let has_money = profiles.iter().any(|it| it.role == Role::Money && !it.values.is_empty());
    let usable = |it: &&&ColumnProfile| !has_money || is_unmistakable(it, options);
    let good: Vec<&ColumnProfile> =
        maybe.iter().filter(plausible).filter(usable).copied().collect();
    let unknown = || free().filter(|it| it.role == Role::Unknown && is_unmistakable(it, options));
    match good.as_slice() {
        [only] => return Ok(only.index),
        [first, others @ ..] => return Err(several(first, others)),
        [] => {}
    }
    match unknown().collect::<Vec<_>>().as_slice() {
        [only] => Ok(only.index),
        [first, others @ ..] => Err(several(first, others)),
        [] => Err(match maybe.as_slice() {
            [only, ..] if !has_money => implausible(only, check(only, options).err()),
            _ => no_multiplier(profiles, taken),
        }),
    }
}

/// Returns whether the numbers of a column, with the given scale, can be multipliers.
fn check(profile: &ColumnProfile, options: &Options) -> Result<(), Implausible> {
    if !profile.is_mostly(profile.values.len() + profile.ambiguous, 0.5) {
        return Err(Implausible::NoNumbers);
    }
    if profile.values.is_empty() && profile.ambiguous > 0 {
        return Ok(());
    }
    if options.scale.is_none() && profile.is_mostly(profile.percentages, 0.5) {
        return Err(Implausible::Percentages);
    }
    let Some(scale) = options.scale.filter(|scale| *scale != Scale::ONE) else {
        return plausibility::check(Numbers { values: &profile.values, whole: profile.whole });
    };
    let values: Vec<f64> = profile.values.iter().map(|value| scale.apply(*value)).collect();
    plausibility::check(Numbers { values: &values, whole: whole(&values) })
}

fn whole(values: &[f64]) -> usize {
    values.iter().filter(|value| value.fract() == 0.0).count()
}

fn is_unmistakable(profile: &ColumnProfile, options: &Options) -> bool {
    // Only a multiplier is written as `2.31x`.
    if profile.is_mostly(profile.signed, 0.8) && check(profile, options).is_ok() {
        return true;
    }
    if !profile.is_mostly(profile.values.len(), 0.98) {
        return false;
    }
    let scale = options.scale.unwrap_or(Scale::ONE);
    let values: Vec<f64> = profile.values.iter().map(|value| scale.apply(*value)).collect();
    plausibility::are_unmistakable(Numbers { values: &values, whole: whole(&values) })
}

fn several(first: &ColumnProfile, others: &[&ColumnProfile]) -> Refusal {
    let names: Vec<String> =
        [first].iter().chain(others).map(|it| format!("`{}`", it.label())).collect();
    let message = format!("the columns {} may each hold the multiplier", names.join(" and "));
    let mut refusal = Refusal::new(RefusalKind::SeveralMultiplierColumns, message);
    for it in [first].iter().chain(others) {
        refusal =
            refusal.remedy(format!("--multiplier-column {}", rounds::shell_word(&it.label())));
    }
    refusal
}

fn implausible(profile: &ColumnProfile, why: Option<Implausible>) -> Refusal {
    let why = why.unwrap_or(Implausible::NoNumbers);
    let message =
        format!("column `{}` does not look like multipliers: it {}", profile.label(), why.text());
    if why == Implausible::Hundredths {
        let message = format!(
            "no round in column `{}` is below 100x and all are whole numbers: hundredths?",
            profile.label()
        );
        return Refusal::new(RefusalKind::Hundredths, message).remedy("--scale 0.01");
    }
    if why == Implausible::Percentages {
        let message = format!(
            "column `{}` holds percentages: if 231 % stands for 2.31x, scale them; if it is the gain of a round that \
             ended at 3.31x, add 100 to each number first",
            profile.label()
        );
        return Refusal::new(RefusalKind::Percentages, message).remedy("--scale 0.01");
    }
    let refusal = Refusal::new(RefusalKind::NotMultipliers, message);
    if why == Implausible::NoNumbers {
        return refusal.remedy("--multiplier-column NAME");
    }
    refusal.remedy(format!("--multiplier-column {}", rounds::shell_word(&profile.label())))
}

fn no_multiplier(profiles: &[ColumnProfile], taken: &[usize]) -> Refusal {
    let message = "no column is recognized as multipliers; if one holds them, name it";
    let mut refusal = Refusal::new(RefusalKind::NoMultiplierColumn, message);
    let numeric = profiles.iter().filter(|it| {
        !taken.contains(&it.index)
            && it.is_mostly(it.values.len(), 0.5)
            && plausibility::check(Numbers { values: &it.values, whole: it.whole }).is_ok()
    });
    for it in numeric.take(4) {
        refusal =
            refusal.remedy(format!("--multiplier-column {}", rounds::shell_word(&it.label())));
    }
    if refusal.remedies.is_empty() {
        refusal = refusal.remedy("--multiplier-column NAME");
    }
    refusal
}
