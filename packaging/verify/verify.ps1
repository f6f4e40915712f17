<#
.SYNOPSIS
Checks a davd with the WebDAV client of Windows, and prints a report to send in.

.DESCRIPTION
Connects a drive with the service WebClient, as Explorer does. It works in a new folder there,
and removes that and the drive at the end. It changes no settings.

.EXAMPLE
powershell -ExecutionPolicy Bypass -File verify.ps1 -Url https://nas:8443/home/ann/ -User ann
#>
param(
    [Parameter(Mandatory = $true)] [string] $Url,
    [string] $User = '',
    [string] $Drive = 'V:',
    [string] $Report = (Join-Path (Get-Location) 'davd-report.txt')
)

$ErrorActionPreference = 'Stop'
$script:passed = 0
$script:failed = 0
$script:skipped = 0
$script:lines = New-Object System.Collections.Generic.List[string]

function Write-Report([string] $Text) {
    $script:lines.Add($Text)
    Write-Output $Text
}

# Test-Step runs a script block, which must not throw and must not return $false.
function Test-Step([string] $Name, [scriptblock] $Step) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $reason = ''
    try {
        $result = & $Step
        if ($result -is [bool] -and -not $result) { $reason = 'not as expected' }
    } catch {
        $reason = $_.Exception.Message
        if ($reason -eq '') { $reason = 'an error without a text' }
    }
    $seconds = [math]::Round($watch.Elapsed.TotalSeconds, 1)
    if ($reason -eq '') {
        $script:passed++
        Write-Report ('passed  {0,6} s  {1}' -f $seconds, $Name)
    } else {
        $script:failed++
        Write-Report ('FAILED  {0,6} s  {1}' -f $seconds, $Name)
        Write-Report ('        {0}' -f $reason)
    }
}

function Skip-Step([string] $Name) {
    $script:skipped++
    Write-Report ('skipped           {0}' -f $Name)
}

function Get-Hash([string] $Path) { (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash }

# Compare-Tree throws unless the folder has all files of the source, with the same contents.
function Compare-Tree([string] $Source, [string] $Folder) {
    foreach ($file in Get-ChildItem -LiteralPath $Source -Recurse -File) {
        $name = $file.FullName.Substring($Source.Length)
        $other = $Folder + $name
        if (-not (Test-Path -LiteralPath $other)) { throw "$name is missing" }
        if ((Get-Hash $file.FullName) -ne (Get-Hash $other)) { throw "$name has another content" }
    }
    if (-not (Test-Path -LiteralPath (Join-Path $Folder 'empty') -PathType Container)) { throw 'the empty folder is missing' }
}

function New-Source([string] $Path) {
    foreach ($folder in 'deep\er\still', 'empty', 'many') {
        [void] (New-Item -ItemType Directory -Force -Path (Join-Path $Path $folder))
    }
    [IO.File]::WriteAllText((Join-Path $Path 'hello.txt'), 'hello')
    [IO.File]::WriteAllText((Join-Path $Path 'nothing'), '')
    [IO.File]::WriteAllText((Join-Path $Path ("gr{0}n und {1}{2}.txt" -f [char] 0xFC, [char] 0x65E5, [char] 0x672C)), 'umlaut')
    [IO.File]::WriteAllText((Join-Path $Path "100% & #1 + 'x'.txt"), 'odd')
    [IO.File]::WriteAllText((Join-Path $Path 'deep\er\still\file'), 'below')
    foreach ($n in 0..99) { [IO.File]::WriteAllText((Join-Path $Path "many\$n"), "$n") }
    $bytes = New-Object byte[] (20MB)
    (New-Object Random 1).NextBytes($bytes)
    [IO.File]::WriteAllBytes((Join-Path $Path 'large'), $bytes)
}

# Set-Bytes replaces bytes in the middle of a file.
function Set-Bytes([string] $Path) {
    $stream = [IO.File]::Open($Path, 'Open', 'ReadWrite')
    try {
        [void] $stream.Seek(1000000, 'Begin')
        $text = [Text.Encoding]::ASCII.GetBytes('patched')
        $stream.Write($text, 0, $text.Length)
    } finally {
        $stream.Dispose()
    }
}

function Write-System {
    Write-Report '# davd verification report'
    Write-Report ('date    {0}' -f (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ'))
    $system = Get-CimInstance Win32_OperatingSystem
    Write-Report ('system  {0} {1}, PowerShell {2}' -f $system.Caption, $system.Version, $PSVersionTable.PSVersion)
    # The address is private. Only its form matters.
    Write-Report ('address {0}://HOST, port {1}' -f ([uri] $Url).Scheme, ([uri] $Url).Port)
    $service = Get-Service WebClient -ErrorAction SilentlyContinue
    if ($null -eq $service) { Write-Report 'service WebClient is not installed' } else { Write-Report ('service WebClient {0}, {1}' -f $service.Status, $service.StartType) }
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Services\WebClient\Parameters'
    $settings = Get-ItemProperty $key -ErrorAction SilentlyContinue
    foreach ($name in 'FileSizeLimitInBytes', 'BasicAuthLevel', 'SendReceiveTimeoutInSec', 'FileAttributesLimitInBytes') {
        $value = 'not set'
        if ($null -ne $settings -and $null -ne $settings.PSObject.Properties[$name]) { $value = $settings.$name }
        Write-Report ('setting {0} = {1}' -f $name, $value)
    }
    Write-Report ''
}

function Connect-Drive([string] $Password) {
    $arguments = @('use', $Drive, $Url, '/persistent:no')
    if ($User -ne '') { $arguments += @("/user:$User", $Password) }
    # net writes errors to standard error, which must not end this script.
    $ErrorActionPreference = 'Continue'
    $output = & net.exe $arguments 2>&1 | Out-String
    if ($LASTEXITCODE -ne 0) { throw $output.Trim() }
}

function Test-Tree([string] $Source, [string] $Work) {
    $tree = Join-Path $Work 'tree'
    Test-Step 'copy a tree to the server' { Copy-Item -LiteralPath $Source -Destination $tree -Recurse }
    Test-Step 'compare the tree' { Compare-Tree $Source $tree }
    Test-Step 'list 100 files' { @(Get-ChildItem -LiteralPath (Join-Path $tree 'many')).Count -eq 100 }
    Test-Step 'copy a tree on the server' { Copy-Item -LiteralPath $tree -Destination (Join-Path $Work 'copy') -Recurse }
    Test-Step 'compare the copy' { Compare-Tree $Source (Join-Path $Work 'copy') }
    Test-Step 'rename a folder' { Rename-Item -LiteralPath (Join-Path $Work 'copy') -NewName 'moved' }
    Test-Step 'compare the renamed folder' { Compare-Tree $Source (Join-Path $Work 'moved') }
    Test-Step 'rename a file' { Rename-Item -LiteralPath (Join-Path $tree 'hello.txt') -NewName 'renamed.txt' }
    Test-Step 'the old name is gone' { -not (Test-Path -LiteralPath (Join-Path $tree 'hello.txt')) }
    Test-Step 'the new name has the content' { [IO.File]::ReadAllText((Join-Path $tree 'renamed.txt')) -eq 'hello' }
}

function Test-Editing([string] $Source, [string] $Work) {
    $file = Join-Path $Work 'edit.txt'
    Test-Step 'write a file' { [IO.File]::WriteAllText($file, 'first') }
    Test-Step 'replace it as editors do' {
        [IO.File]::WriteAllText("$file.new", 'changed')
        [IO.File]::Delete($file)
        [IO.File]::Move("$file.new", $file)
        [IO.File]::ReadAllText($file) -eq 'changed'
    }
    Test-Step 'append to it' {
        [IO.File]::AppendAllText($file, ' more')
        [IO.File]::ReadAllText($file) -eq 'changed more'
    }
    Test-Step 'change bytes in the middle of a large file' {
        $local = Join-Path (Split-Path $Source) 'patched'
        Copy-Item -LiteralPath (Join-Path $Source 'large') -Destination $local
        Set-Bytes $local
        Set-Bytes (Join-Path $Work 'tree\large')
        (Get-Hash $local) -eq (Get-Hash (Join-Path $Work 'tree\large'))
    }
    Test-Step 'set the time of a file' {
        $time = [datetime]::new(2020, 2, 3, 4, 5, 6, [DateTimeKind]::Utc)
        [IO.File]::SetLastWriteTimeUtc($file, $time)
        [math]::Abs(([IO.File]::GetLastWriteTimeUtc($file) - $time).TotalSeconds) -lt 2
    }
}

# Test-Lock checks that a file that this client has open can't be changed by another one.
function Test-Lock([string] $Work, [string] $Password) {
    $curl = Get-Command curl.exe -ErrorAction SilentlyContinue
    if ($null -eq $curl) {
        Skip-Step 'a lock keeps other clients out (curl.exe is missing)'
        return
    }
    Test-Step 'a lock keeps other clients out' {
        $stream = [IO.File]::Open((Join-Path $Work 'locked.txt'), 'OpenOrCreate', 'ReadWrite', 'None')
        try {
            $arguments = @('-k', '-s', '-o', 'NUL', '-w', '%{http_code}', '-X', 'PUT', '-d', 'x')
            if ($User -ne '') { $arguments += @('-u', "${User}:$Password") }
            $arguments += ('{0}/{1}/locked.txt' -f $Url.TrimEnd('/'), (Split-Path $Work -Leaf))
            $status = & curl.exe $arguments
            if ($status -ne '423') { throw "a PUT by another client got $status, want 423" }
        } finally {
            $stream.Dispose()
        }
    }
}

function Test-Removal([string] $Work) {
    Test-Step 'delete a file' { [IO.File]::Delete((Join-Path $Work 'edit.txt')) }
    Test-Step 'the file is gone' { -not (Test-Path -LiteralPath (Join-Path $Work 'edit.txt')) }
    Test-Step 'delete a tree' { Remove-Item -LiteralPath (Join-Path $Work 'moved') -Recurse -Force }
    Test-Step 'the tree is gone' { -not (Test-Path -LiteralPath (Join-Path $Work 'moved')) }
    Test-Step 'delete the rest' { Remove-Item -LiteralPath $Work -Recurse -Force }
}

$password = ''
if ($User -ne '') {
    $password = $env:DAVD_PASSWORD
    if ([string]::IsNullOrEmpty($password)) {
        $secret = Read-Host -AsSecureString "Password of $User"
        $password = (New-Object Net.NetworkCredential('', $secret)).Password
    }
}
$scratch = Join-Path ([IO.Path]::GetTempPath()) ("davd-verify-{0}" -f $PID)
$connected = $false
try {
    Write-System
    $source = Join-Path $scratch 'source'
    New-Source $source
    Test-Step "connect drive $Drive" { Connect-Drive $password }
    $connected = $script:failed -eq 0
    if ($connected) {
        $work = "$Drive\davd-verify-$PID"
        Test-Step 'create a folder' { [void] (New-Item -ItemType Directory -Path $work) }
        if (Test-Path -LiteralPath $work) {
            Test-Tree $source $work
            Test-Editing $source $work
            Test-Lock $work $password
            Test-Removal $work
        }
    }
} finally {
    if ($connected) {
        $ErrorActionPreference = 'Continue'
        & net.exe use $Drive /delete /y 2>&1 | Out-Null
    }
    Remove-Item -LiteralPath $scratch -Recurse -Force -ErrorAction SilentlyContinue
    Write-Report ''
    Write-Report ('{0} passed, {1} failed, {2} skipped' -f $script:passed, $script:failed, $script:skipped)
    [IO.File]::WriteAllLines($Report, $script:lines)
    Write-Output "The report is in $Report. It has no address, name or password."
}
if ($script:failed -gt 0) { exit 1 }
