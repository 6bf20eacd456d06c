//! Renders the Markdown reference page of a command line and checks the page in `docs/`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use clap::{Arg, ArgAction, Command};

/// Minimum number of options that a command must share with an earlier one for its section to refer
/// to that one instead of repeating them.
const SHARED_MIN: usize = 5;
/// Maximum number of the earlier command's options that such a command may lack.
const LACKED_MAX: usize = 3;

/// Checks that `page` equals what [`render`] returns for `command`. If `UPDATE_DOCS` is set, it
/// first rewrites the page.
///
/// # Panics
/// If the page cannot be read or written, or is out of date.
pub fn check(command: Command, page: &Path) {
    let rendered = render(command);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page, &rendered).expect("the page can be written");
    }
    let current = fs::read_to_string(page).expect("the page can be read");
    assert!(
        current.replace("\r\n", "\n") == rendered,
        "{} is out of date: run UPDATE_DOCS=1 cargo test options_page",
        page.display()
    );
}

/// Checks that a section of a page names every key of `printed`, the output of `--print-config`.
///
/// # Panics
/// If a key is missing, or `printed` holds hardly any.
pub fn check_keys(section: &str, printed: &str) {
    let is_key = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
    let names = printed.lines().map(|line| line.trim_start_matches("# "));
    let keys =
        names.filter_map(|line| line.split([' ', ':']).next().filter(|it| it.chars().all(is_key)));
    let keys: Vec<&str> = keys.filter(|key| !matches!(*key, "flag" | "")).collect();
    assert!(keys.len() > 10, "{printed}");
    for key in keys {
        let name = key.rsplit('.').next().unwrap_or(key);
        assert!(section.contains(&format!("`{name}`")), "{key} is not on the page");
    }
}

/// Returns the reference page of `program`: every command with its options, and their environment
/// variables, defaults and values.
pub fn render(mut program: Command) -> String {
    program.build();
    let name = program.get_name().to_owned();
    let about = text(program.get_about());
    let mut page = format!(
        "# Options of `{name}`\n\n<!-- Generated from the command line: UPDATE_DOCS=1 cargo test -p {name} options_page -->\n\n\
         {about}.\nEvery command also takes `-h` (`--help` explains each option) and `-V`.\n\n\
         | command | does |\n|---|---|\n"
    );
    let commands: Vec<&Command> =
        program.get_subcommands().filter(|it| it.get_name() != "help").collect();
    for command in &commands {
        let anchor = format!("{name}-{}", command.get_name());
        line(
            &mut page,
            &format!(
                "| [`{name} {}`](#{anchor}) | {} |",
                command.get_name(),
                cell(&text(command.get_about()))
            ),
        );
    }
    let own = options(&program);
    if let Some(same) = commands.iter().find(|it| !own.is_empty() && options(it) == own) {
        line(
            &mut page,
            &format!("\nWithout a command, `{name}` does what `{name} {}` does.", same.get_name()),
        );
    } else if !own.is_empty() {
        line(&mut page, "\nOptions of every command:\n");
        table(&mut page, &own);
    }
    for (i, command) in commands.iter().enumerate() {
        section(&mut page, &name, command, &commands[..i]);
    }
    page
}

fn section(page: &mut String, program: &str, command: &Command, earlier: &[&Command]) {
    let name = command.get_name();
    line(page, &format!("\n## `{program} {name}`\n\n{}.\n", text(command.get_about())));
    let mut usage = command.clone().bin_name(format!("{program} {name}"));
    let usage = usage.render_usage().to_string();
    line(page, &format!("    {}", usage.trim_start_matches("Usage: ").trim()));
    let mut own = options(command);
    own.retain(|option| !option.is_global);
    if let Some((other, theirs)) = shared(&own, earlier) {
        let but = theirs.iter().filter(|it| !own.contains(it)).map(|it| it.option.clone());
        let but = match but.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => none,
            some => format!(", except {some}"),
        };
        line(
            page,
            &format!("\nTakes the options of [`{program} {other}`](#{program}-{other}){but}."),
        );
        own.retain(|option| !theirs.contains(option));
    }
    if !own.is_empty() {
        page.push('\n');
        table(page, &own);
    }
    if let Some(after) = command.get_after_help() {
        line(page, "");
        for row in after.to_string().lines() {
            let row = format!("    {row}");
            line(page, row.trim_end());
        }
    }
}

/// Returns the earlier command that shares the most options with this one, and its options; `None`
/// if none is similar enough.
fn shared<'a>(own: &[Row], earlier: &[&'a Command]) -> Option<(&'a str, Vec<Row>)> {
    let common = |theirs: &[Row]| theirs.iter().filter(|it| own.contains(it)).count();
    earlier
        .iter()
        .map(|it| (it.get_name(), options(it)))
        .filter(|(_, theirs)| {
            let common = common(theirs);
            common >= SHARED_MIN && theirs.len() - common <= LACKED_MAX
        })
        .max_by_key(|(_, theirs)| common(theirs))
}

/// A row of a table of options.
#[derive(PartialEq)]
struct Row {
    option: String,
    variable: String,
    default: String,
    meaning: String,
    is_global: bool,
}

fn options(command: &Command) -> Vec<Row> {
    let is_listed = |arg: &&Arg| {
        !arg.is_hide_set()
            && !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
    };
    command.get_arguments().filter(is_listed).map(row).collect()
}

fn row(arg: &Arg) -> Row {
    let help = text(arg.get_long_help().or(arg.get_help()));
    // A default that depends on other options is stated in the help.
    let (help, said) = match help.rsplit_once(" [default: ") {
        Some((help, default)) if default.ends_with(']') => {
            (help.to_owned(), default.trim_end_matches(']').to_owned())
        }
        _ => (help, String::new()),
    };
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|it| it.to_string_lossy().into_owned()).collect();
    let default = if !said.is_empty() {
        said
    } else if arg.is_required_set() {
        "required".to_owned()
    } else if arg.get_action().takes_values() && !defaults.is_empty() {
        format!("`{}`", defaults.join("`, `"))
    } else {
        String::new()
    };
    Row {
        option: format!("`{}`", spelling(arg)),
        variable: arg
            .get_env()
            .map_or_else(String::new, |it| format!("`{}`", it.to_string_lossy())),
        default,
        meaning: format!("{help}{}", values(arg)),
        is_global: arg.is_global_set(),
    }
}

/// Returns how the option is typed, such as `--listen <ADDRESS>`.
fn spelling(arg: &Arg) -> String {
    let value = arg.get_value_names().unwrap_or_default().first();
    let value = value.map_or_else(String::new, |it| format!("<{it}>"));
    match arg.get_long() {
        None => value,
        Some(long) if !arg.get_action().takes_values() => format!("--{long}"),
        Some(long) if arg.get_num_args().is_some_and(|count| count.min_values() == 0) => {
            format!("--{long} [{value}]")
        }
        Some(long) => format!("--{long} {value}"),
    }
}

/// Returns the possible values of an option as text; empty for a switch.
fn values(arg: &Arg) -> String {
    let values: Vec<_> =
        arg.get_possible_values().into_iter().filter(|it| !it.is_hide_set()).collect();
    let is_switch = values.iter().all(|it| matches!(it.get_name(), "true" | "false"));
    if is_switch || arg.is_hide_possible_values_set() {
        return String::new();
    }
    let each = values.iter().map(|value| match value.get_help() {
        Some(help) => {
            format!("`{}` ({})", value.get_name(), help.to_string().trim_end_matches('.'))
        }
        None => format!("`{}`", value.get_name()),
    });
    format!(". Values: {}", each.collect::<Vec<_>>().join(", "))
}

fn table(page: &mut String, rows: &[Row]) {
    line(page, "| option | environment | default | meaning |\n|---|---|---|---|");
    for Row { option, variable, default, meaning, .. } in rows {
        let [option, variable, default, meaning] =
            [option, variable, default, meaning].map(|it| cell(it));
        line(page, &format!("| {option} | {variable} | {default} | {meaning} |"));
    }
}

fn text(of: Option<&clap::builder::StyledStr>) -> String {
    let text = of.map(ToString::to_string).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

/// Escapes text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a string takes everything");
}
