/** The seed of every random run of these tests. Set ETCD_DISCOVERY_TEST_SEED to repeat a run. */
export const seed = Number(process.env['ETCD_DISCOVERY_TEST_SEED'] ?? Date.now() % 2 ** 31);

console.log(`seed ${seed}: repeat with ETCD_DISCOVERY_TEST_SEED=${seed}`);
