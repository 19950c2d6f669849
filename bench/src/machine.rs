//! What this was measured on.

use std::fs::read_to_string;
use std::process::Command;

/// One line for each thing that figures depend on.
pub fn describe() -> String {
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or("0");
    let gib = kib.trim().trim_end_matches(" kB").parse().unwrap_or(0.0) / (1024.0 * 1024.0);
    let clock = read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
        .unwrap_or_default();
    let virtual_machine = if cpu.contains("hypervisor") { ", a virtual machine" } else { "" };
    format!(
        "- processor: {}, {cores} cores{virtual_machine}; memory {gib:.0} GiB\n- kernel {}, clock source {}\n- {}\n",
        model.trim_start_matches([' ', '\t', ':']),
        first_line("uname", &["-r"]),
        clock.trim(),
        first_line("rustc", &["--version"]),
    )
}

fn first_line(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("unknown").to_owned()
}
