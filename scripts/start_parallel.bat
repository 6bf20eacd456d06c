@echo off
rem Builds the collector and the predictor and starts each in its own window.
rem
rem   scripts\start_parallel.bat [collector flags]
rem
rem Without flags the collector simulates provably fair rounds. All flags are passed to the collector. To stop a
rem program, close its window or press Ctrl-C in it; every round it has shown is on disk.
setlocal
pushd "%~dp0.."

where cargo >nul 2>nul
if errorlevel 1 (
  echo Rust is missing: install it from https://rustup.rs, open a new window and run this again.
  goto failed
)

echo Building the collector and the predictor (the first time takes several minutes) ...
cargo build --locked --release -p collector -p predictor
if errorlevel 1 goto failed

if not defined AVIATOR_LISTEN set "AVIATOR_LISTEN=127.0.0.1:5001"
if not defined CARGO_TARGET_DIR set "CARGO_TARGET_DIR=%CD%\target"
set "BIN=%CARGO_TARGET_DIR%\release"

rem Both programs get the same directory: --data-dir among the flags, else AVIATOR_DATA_DIR, else data\demo for
rem the demo (data\demo-PATTERN with a pattern; simulated rounds never mix with recorded ones) and data for every
rem other source.
set "SOURCE=demo"
if defined AVIATOR_SOURCE set "SOURCE=%AVIATOR_SOURCE%"
set "DEMO=demo"
if defined AVIATOR_PATTERN if not "%AVIATOR_PATTERN%"=="none" set "DEMO=demo-%AVIATOR_PATTERN%"
set "PREVIOUS="
:next_flag
if "%~1"=="" goto have_flags
if "%PREVIOUS%"=="--data-dir" set "AVIATOR_DATA_DIR=%~1"
if "%PREVIOUS%"=="--source" set "SOURCE=%~1"
if "%PREVIOUS%"=="--pattern" set "DEMO=demo-%~1"
set "PREVIOUS=%~1"
shift
goto next_flag
:have_flags
if defined AVIATOR_DATA_DIR goto have_dir
set "AVIATOR_DATA_DIR=%CD%\data"
if "%DEMO%"=="demo-none" set "DEMO=demo"
if "%SOURCE%"=="demo" set "AVIATOR_DATA_DIR=%CD%\data\%DEMO%"
:have_dir

start "aviator collector" cmd /k ""%BIN%\collector.exe" %*"
start "aviator predictor" cmd /k ""%BIN%\predictor.exe" --listen %AVIATOR_LISTEN%"

echo.
echo   Dashboard: http://%AVIATOR_LISTEN%   (reachable only from this machine unless you chose another address)
echo   Rounds:    %AVIATOR_DATA_DIR%
echo.
popd
endlocal
exit /b 0

:failed
popd
endlocal
pause
exit /b 1
