#!/bin/sh
# A person would expect a job that has ended well, and whose lease was held all the time, to be run once.
# On PostgreSQL, if many jobs that were delayed (job.moveToDelayed) are due at about the same time, the queries by which
# workers finish jobs and claim delayed ones deadlock. The worker emits the error "deadlock detected"; if the victim was the end of
# a job, the job stays active until its lease has run out, and is then run again. It happens in some rounds only, so
# the script makes up to six rounds, of about 20 seconds each, and stops at the first deadlock.
# Seen with bullmq 6.7.0, pg 8.23.1 and PostgreSQL 15, 20 workers in one process, Node 20, Linux x64.
# It matters for every job that must not take effect twice: a worker has to look whether the work is done already. A random
# spread of the delays makes deadlocks rare.
# The script needs Debian's package postgresql, and the user postgres if it runs as root.
set -eu
folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill -INT "$server" 2> /dev/null && wait "$server" || true; }
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
as=
if [ "$(id -u)" = 0 ]; then
  chown postgres "$folder"
  as="setpriv --reuid postgres --regid postgres --clear-groups"
fi
$as "$bin/initdb" -D "$folder/data" -U tester -A trust > initdb.log
$as "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= > server.log 2>&1 &
server=$!
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts bullmq@6.7.0 pg@8.23.1 > npm.log
cat > run.cjs <<'END'
const { Queue, Worker, DelayedError, createPostgresBackend } = require("bullmq");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const [JOBS, WORKERS, ROUNDS] = [4000, 20, 6];
const connection = { host: process.argv[2], user: "tester", database: "postgres", max: 4 };

async function round(number) {
  const schema = `round${number}`;
  const queue = new Queue("jobs", { connection: { ...connection, schema, migrate: true } }, createPostgresBackend);
  await queue.waitUntilReady();
  for (let i = 0; i < JOBS; i += 200)
    await queue.addBulk(Array.from({ length: 200 }, (_, k) => ({ name: "job", data: {}, opts: { jobId: `job-${i + k}` } })));
  const [delayed, runs] = [new Set(), new Map()];
  let [deadlocks, others] = [0, 0];
  const work = async (job, token) => {
    if (!delayed.has(job.id)) {
      delayed.add(job.id);
      await job.moveToDelayed(Date.now() + 5000, token);
      throw new DelayedError();
    }
    await sleep(5);
    runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
  };
  const options = { connection: { ...connection, schema }, lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 100 };
  const workers = Array.from({ length: WORKERS }, () => {
    const worker = new Worker("jobs", work, options, createPostgresBackend);
    return worker.on("error", ({ message }) => (message === "deadlock detected" ? (deadlocks += 1) : (others += 1)));
  });
  for (let left = 1; left > 0; ) {
    await sleep(500);
    left = Object.values(await queue.getJobCounts("wait", "active", "delayed")).reduce((a, b) => a + b);
  }
  const twice = [...runs.values()].filter((count) => count > 1).length;
  console.log(`round ${number}: ${runs.size} jobs run, ${twice} of them twice; ${deadlocks} deadlocks, ${others} other errors`);
  await Promise.all(workers.map((worker) => worker.close()));
  await queue.close();
  return deadlocks;
}

(async () => {
  let deadlocks = 0;
  for (let i = 1; i <= ROUNDS && deadlocks === 0; i++) deadlocks = await round(i);
  console.log(deadlocks > 0 ? "as recorded" : "CHANGED: recorded were deadlocks");
  process.exit(deadlocks > 0 ? 0 : 1);
})();
END
node run.cjs "$folder"
