/** An etcd binary. */
export interface Etcd {
  /** For example "3.5". */
  readonly series: string;
  /** For example "3.5.35". */
  readonly version: string;
  /** The path of the binary. */
  readonly etcd: string;
  readonly missing?: undefined;
}

/** An etcdctl binary. */
export interface Etcdctl {
  readonly series: string;
  readonly version: string;
  /** The path of the binary. */
  readonly etcdctl: string;
  readonly missing?: undefined;
}

/** The program of test/tools/goclient, built with the Go client library of a series. */
export interface GoClient {
  readonly series: string;
  readonly version: string;
  /** The path of the binary. */
  readonly goclient: string;
  readonly missing?: undefined;
}

/** A missing binary, with a sentence that says why and what to do. */
export interface Missing {
  readonly missing: string;
  readonly series?: undefined;
  readonly version?: undefined;
}

export function findEtcdctl(): string | undefined;
export function findInstalledEtcd(): Promise<Etcd | Missing>;
export function findInstalledEtcdctl(): Promise<Etcdctl | Missing>;
export function provideEtcd(series: string, options?: { build?: boolean }): Promise<Etcd | Missing>;
export function provideEtcdctl(series: string, options?: { build?: boolean }): Promise<Etcdctl | Missing>;
export function provideGoClient(series: string, options?: { build?: boolean }): Promise<GoClient | Missing>;
export function installDebianEtcd(): Promise<string | undefined>;
