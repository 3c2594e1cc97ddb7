/** Begins every random run of these tests; set ETCD_DISCOVERY_TEST_SEED to run one again. */
export const seed = Number(process.env['ETCD_DISCOVERY_TEST_SEED'] ?? Date.now() % 2 ** 31);

console.log(`seed ${seed}: ETCD_DISCOVERY_TEST_SEED=${seed} runs this again`);
