//! Finds the installed browsers that have a debugging port: Chrome, Edge, Brave and Chromium.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The name of the collector's directory within a place for data.
const DIRECTORY: &str = "aviator-collector";

/// A kind of operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemKind {
    /// Linux, the BSDs.
    Unix,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl SystemKind {
    /// The system that this program was built for.
    pub const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Unix
    };
}

/// A browser that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledBrowser {
    /// Its name, for messages.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
    /// The profile directory that the collector keeps for it. Snap and Flatpak let a browser write only below their own.
    pub profile: PathBuf,
}

/// The browsers to look for, in order of preference: name, program on Unix, identifier of its Flatpak, path on macOS below
/// `Applications`, path on Windows below a directory for programs.
const KNOWN: [Known; 4] = [
    Known {
        name: "Chrome",
        commands: &["google-chrome", "google-chrome-stable"],
        flatpak: "com.google.Chrome",
        mac: "Google Chrome.app/Contents/MacOS/Google Chrome",
        windows: r"Google\Chrome\Application\chrome.exe",
    },
    Known {
        name: "Edge",
        commands: &["microsoft-edge", "microsoft-edge-stable"],
        flatpak: "com.microsoft.Edge",
        mac: "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
        windows: r"Microsoft\Edge\Application\msedge.exe",
    },
    Known {
        name: "Brave",
        commands: &["brave-browser", "brave"],
        flatpak: "com.brave.Browser",
        mac: "Brave Browser.app/Contents/MacOS/Brave Browser",
        windows: r"BraveSoftware\Brave-Browser\Application\brave.exe",
    },
    Known {
        name: "Chromium",
        commands: &["chromium", "chromium-browser"],
        flatpak: "org.chromium.Chromium",
        mac: "Chromium.app/Contents/MacOS/Chromium",
        windows: r"Chromium\Application\chrome.exe",
    },
];

struct Known {
    name: &'static str,
    commands: &'static [&'static str],
    flatpak: &'static str,
    mac: &'static str,
    windows: &'static str,
}

/// What the search needs to know about the machine.
pub struct Machine<'a> {
    /// The system.
    pub kind: SystemKind,
    /// Returns an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Returns whether a program is there.
    pub is_program: &'a dyn Fn(&Path) -> bool,
}

impl std::fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Machine<'_> {
    /// Returns the first browser that is there.
    pub fn browser(&self) -> Option<InstalledBrowser> {
        KNOWN.iter().find_map(|known| {
            let found =
                self.programs(known).into_iter().find(|(program, _)| (self.is_program)(program));
            found.map(|(program, profile)| InstalledBrowser { name: known.name, program, profile })
        })
    }

    /// Returns the browser that the user named.
    pub fn named(&self, program: &Path) -> InstalledBrowser {
        InstalledBrowser { name: "the browser", program: program.to_owned(), profile: self.data() }
    }

    /// Returns the programs that may be this browser, each with the profile for it.
    fn programs(&self, known: &Known) -> Vec<(PathBuf, PathBuf)> {
        match self.kind {
            SystemKind::Unix => self.unix(known),
            SystemKind::MacOs => [Some(PathBuf::from("/")), self.home()]
                .into_iter()
                .flatten()
                .map(|root| (root.join("Applications").join(known.mac), self.data()))
                .collect(),
            SystemKind::Windows => ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"]
                .into_iter()
                .filter_map(|root| Some(self.directory(root)?.join(known.windows)))
                .map(|program| (program, self.data()))
                .collect(),
        }
    }

    fn unix(&self, known: &Known) -> Vec<(PathBuf, PathBuf)> {
        let path = (self.variable)("PATH").unwrap_or_default();
        let home = self.home().unwrap_or_default();
        // A Snap's program may also be in the path, as a script that gives no sign of it: look there first.
        let snaps = known.commands.iter().map(|command| {
            (
                Path::new("/snap/bin").join(command),
                home.join("snap").join(command).join("common").join(DIRECTORY),
            )
        });
        let commands = known.commands.iter().flat_map(|command| {
            std::env::split_paths(&path).map(move |directory| directory.join(command))
        });
        let flatpaks =
            [PathBuf::from("/var/lib/flatpak"), home.join(".local/share/flatpak")].map(|root| {
                (
                    root.join("exports/bin").join(known.flatpak),
                    home.join(".var/app").join(known.flatpak).join("data").join(DIRECTORY),
                )
            });
        snaps.chain(commands.map(|program| (program, self.data()))).chain(flatpaks).collect()
    }

    /// Returns the directory that a variable names.
    fn directory(&self, variable: &str) -> Option<PathBuf> {
        (self.variable)(variable).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty())
    }

    fn home(&self) -> Option<PathBuf> {
        (self.variable)("HOME").map(PathBuf::from)
    }

    /// Returns the directory for the profile of a browser that is not confined to a sandbox.
    fn data(&self) -> PathBuf {
        let home = self.home().unwrap_or_default();
        let root = match self.kind {
            SystemKind::Unix => {
                self.directory("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"))
            }
            SystemKind::MacOs => home.join("Library/Application Support"),
            SystemKind::Windows => self.directory("LOCALAPPDATA").unwrap_or_default(),
        };
        root.join(DIRECTORY).join("browser")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the browser of a machine that has only these programs.
    fn found(kind: SystemKind, programs: &[&str]) -> Option<(&'static str, String, String)> {
        let variable = |name: &str| {
            let value = match (kind, name) {
                (SystemKind::Windows, "ProgramFiles") => r"C:\Program Files",
                (SystemKind::Windows, "LOCALAPPDATA") => r"C:\Users\me\AppData\Local",
                (SystemKind::Windows, _) => return None,
                (_, "HOME") => "/home/me",
                (_, "PATH") => "/usr/local/bin:/usr/bin",
                _ => return None,
            };
            Some(OsString::from(value))
        };
        // A test on one system joins the paths of another with its own separator.
        let plain = |path: &Path| path.to_str().unwrap().replace('/', "\\");
        let is_program = |path: &Path| {
            let path = if kind == SystemKind::Windows {
                plain(path)
            } else {
                path.to_str().unwrap().to_owned()
            };
            programs.contains(&path.as_str())
        };
        let machine = Machine { kind, variable: &variable, is_program: &is_program };
        let shown = |path: PathBuf| {
            if kind == SystemKind::Windows {
                plain(&path)
            } else {
                path.to_str().unwrap().to_owned()
            }
        };
        machine
            .browser()
            .map(|browser| (browser.name, shown(browser.program), shown(browser.profile)))
    }

    #[track_caller]
    fn finds(kind: SystemKind, program: &str, name: &str, profile: &str) {
        assert_eq!(found(kind, &[program]), Some((name, program.to_owned(), profile.to_owned())));
    }

    #[test]
    fn a_browser_of_every_system_is_found_with_a_profile_that_it_can_write() {
        let data = "/home/me/.local/share/aviator-collector/browser";
        finds(SystemKind::Unix, "/usr/bin/google-chrome", "Chrome", data);
        finds(SystemKind::Unix, "/usr/local/bin/microsoft-edge", "Edge", data);
        finds(SystemKind::Unix, "/usr/bin/chromium", "Chromium", data);
        finds(
            SystemKind::Unix,
            "/snap/bin/chromium",
            "Chromium",
            "/home/me/snap/chromium/common/aviator-collector",
        );
        for root in ["/var/lib/flatpak", "/home/me/.local/share/flatpak"] {
            let program = format!("{root}/exports/bin/com.brave.Browser");
            finds(
                SystemKind::Unix,
                &program,
                "Brave",
                "/home/me/.var/app/com.brave.Browser/data/aviator-collector",
            );
        }
        let data = "/home/me/Library/Application Support/aviator-collector/browser";
        let chrome = "Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
        finds(SystemKind::MacOs, &format!("/{chrome}"), "Chrome", data);
        finds(SystemKind::MacOs, &format!("/home/me/{chrome}"), "Chrome", data);
        let data = r"C:\Users\me\AppData\Local\aviator-collector\browser";
        finds(
            SystemKind::Windows,
            r"C:\Program Files\Google\Chrome\Application\chrome.exe",
            "Chrome",
            data,
        );
        finds(
            SystemKind::Windows,
            r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
            "Edge",
            data,
        );
        finds(
            SystemKind::Windows,
            r"C:\Users\me\AppData\Local\Chromium\Application\chrome.exe",
            "Chromium",
            data,
        );
    }

    #[test]
    fn chrome_is_preferred_and_a_snap_is_recognized_behind_its_script() {
        let both = found(SystemKind::Unix, &["/usr/bin/chromium", "/usr/bin/google-chrome"]);
        assert_eq!(both.unwrap().0, "Chrome");
        let snap = found(SystemKind::Unix, &["/usr/bin/chromium-browser", "/snap/bin/chromium"]);
        assert_eq!(snap.unwrap().1, "/snap/bin/chromium");
        assert_eq!(found(SystemKind::Unix, &[]), None);
        assert_eq!(found(SystemKind::Windows, &[]), None);
    }
}
