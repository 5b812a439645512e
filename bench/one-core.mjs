// One process on one core, and what it takes of it.
import fs from 'node:fs';
import os from 'node:os';

/** What puts a program on one core, where the machine has more. */
export function onCore(core) {
  return os.cpus().length > 1 && fs.existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', String(core)] : [];
}

/** CPU-seconds that a process has used (Linux: clock ticks of a hundredth). */
export function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
