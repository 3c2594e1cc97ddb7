/** An etcd that can be run. */
export interface Etcd {
  /** Like "3.5". */
  readonly series: string;
  /** Like "3.5.35". */
  readonly version: string;
  /** The path of the binary. */
  readonly etcd: string;
  readonly missing?: undefined;
}

/** There is none, and a sentence why and what to do. */
export interface MissingEtcd {
  readonly missing: string;
  readonly series?: undefined;
  readonly version?: undefined;
}

export function findEtcdctl(): string | undefined;
export function findInstalledEtcd(): Promise<Etcd | MissingEtcd>;
export function provideEtcd(series: string, options?: { build?: boolean }): Promise<Etcd | MissingEtcd>;
export function installDebianEtcd(): Promise<string | undefined>;
