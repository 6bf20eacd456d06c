<#
.SYNOPSIS
Runs the collector and the predictor in this window and supervises them.

.DESCRIPTION
Builds both programs, starts them with a common data directory, restarts a program that fails a limited
number of times, and stops both on Ctrl-C. All flags are passed to the collector.

.EXAMPLE
scripts\run_parallel.ps1
scripts\run_parallel.ps1 --source browser --cdp http://127.0.0.1:9222
#>
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent $PSScriptRoot
$restartsMax = if ($env:AVIATOR_RESTARTS) { [int]$env:AVIATOR_RESTARTS } else { 5 }
$listen = if ($env:AVIATOR_LISTEN) { $env:AVIATOR_LISTEN } else { '127.0.0.1:5001' }
$collectorFlags = @($args)

if (-not (Get-Command cargo -ErrorAction SilentlyContinue)) {
    Write-Host 'Rust is missing: install it from https://rustup.rs, open a new window and run this again.'
    exit 1
}
Write-Host 'Building the collector and the predictor (the first time takes several minutes) ...'
Push-Location $root
try { cargo build --locked --release -p collector -p predictor } finally { Pop-Location }
if ($LASTEXITCODE -ne 0) { exit 1 }

$target = if ($env:CARGO_TARGET_DIR) { $env:CARGO_TARGET_DIR } else { Join-Path $root 'target' }
$bin = Join-Path $target 'release'

# Both programs get the same directory: --data-dir among the collector's flags, else AVIATOR_DATA_DIR,
# else the collector's own default for its source.
$dataDir = $env:AVIATOR_DATA_DIR
$source = if ($env:AVIATOR_SOURCE) { $env:AVIATOR_SOURCE } else { 'demo' }
$pattern = if ($env:AVIATOR_PATTERN) { $env:AVIATOR_PATTERN } else { 'none' }
$rest = @()
for ($i = 0; $i -lt $collectorFlags.Count; $i++) {
    $flag = [string]$collectorFlags[$i]
    if ($flag -eq '--data-dir' -and $i + 1 -lt $collectorFlags.Count) { $i++; $dataDir = $collectorFlags[$i]; continue }
    if ($flag -like '--data-dir=*') { $dataDir = $flag.Substring('--data-dir='.Length); continue }
    if ($flag -eq '--source' -and $i + 1 -lt $collectorFlags.Count) { $source = $collectorFlags[$i + 1] }
    if ($flag -like '--source=*') { $source = $flag.Substring('--source='.Length) }
    if ($flag -eq '--pattern' -and $i + 1 -lt $collectorFlags.Count) { $pattern = $collectorFlags[$i + 1] }
    if ($flag -like '--pattern=*') { $pattern = $flag.Substring('--pattern='.Length) }
    $rest += $flag
}
$collectorFlags = $rest
if (-not $dataDir) {
    $demo = if ($pattern -eq 'none') { 'data\demo' } else { "data\demo-$pattern" }
    $dataDir = if ($source -eq 'demo') { Join-Path $root $demo } else { Join-Path $root 'data' }
}

# Start-Process joins its arguments with spaces, so an argument that contains a space is quoted.
function Format-Argument([string]$text) { if ($text -match '[\s"]') { '"' + ($text -replace '"', '\"') + '"' } else { $text } }

function Start-Program([string]$name) {
    $flags = if ($name -eq 'collector') { @('--data-dir', $dataDir) + $collectorFlags } else { @('--data-dir', $dataDir, '--listen', $listen) }
    $line = ($flags | ForEach-Object { Format-Argument $_ }) -join ' '
    Start-Process -FilePath (Join-Path $bin "$name.exe") -ArgumentList $line -NoNewWindow -PassThru
}

Write-Host ''
Write-Host "  Dashboard: http://$listen   (reachable only from this machine unless you chose another address)"
Write-Host "  Rounds:    $dataDir"
Write-Host ''

$programs = [ordered]@{ predictor = Start-Program 'predictor'; collector = Start-Program 'collector' }
# ExitCode stays empty unless the handle has been read before the exit.
foreach ($program in $programs.Values) { $null = $program.Handle }
$restarts = @{ collector = 0; predictor = 0 }
$exitCode = 0
$running = $true

try {
    while ($running) {
        Start-Sleep -Seconds 1
        foreach ($name in @($programs.Keys)) {
            $program = $programs[$name]
            if ($null -eq $program -or -not $program.HasExited) { continue }
            $code = $program.ExitCode
            $programs[$name] = $null
            if ($code -eq 0) {
                Write-Host "$name has finished"
                if ($name -eq 'predictor') { $running = $false }
            }
            elseif ($code -eq 2 -or $code -eq 3) {
                Write-Host "$name exited with code $code (see its message above); not restarting it"
                $exitCode = $code; $running = $false
            }
            elseif ($restarts[$name] -ge $restartsMax) {
                Write-Host "$name exited with code $code after $($restarts[$name]) restarts: giving up"
                $exitCode = 1; $running = $false
            }
            else {
                $restarts[$name]++
                Write-Host "$name exited with code ${code}: restarting it ($($restarts[$name]) of $restartsMax)"
                $programs[$name] = Start-Program $name
                $null = $programs[$name].Handle
            }
        }
    }
}
finally {
    # Every round is on disk before it is shown, so stopping a program loses nothing.
    foreach ($program in $programs.Values) {
        if ($null -ne $program -and -not $program.HasExited) { Stop-Process -Id $program.Id -ErrorAction SilentlyContinue }
    }
}
exit $exitCode
