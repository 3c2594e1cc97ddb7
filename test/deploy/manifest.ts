/** The asserted parts of what kustomize renders. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
}

export interface Container {
  readonly image: string;
  readonly env: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  readonly ports: ReadonlyArray<{ readonly name: string; readonly containerPort: number }>;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: Readonly<Record<string, unknown>>;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface PolicyRule {
  readonly ports: ReadonlyArray<{ readonly port: unknown }>;
}

export interface Policy extends Manifest {
  readonly spec: {
    readonly policyTypes: readonly string[];
    readonly ingress: readonly PolicyRule[];
    readonly egress: readonly PolicyRule[];
  };
}

interface Pod {
  readonly containers: readonly Container[];
  readonly securityContext: { readonly runAsNonRoot: boolean };
}

export function podOf(document: unknown): Pod | undefined {
  return (document as { spec?: { template?: { spec?: Pod } } }).spec?.template?.spec;
}

export function containersOf(document: unknown): readonly Container[] {
  return podOf(document)?.containers ?? [];
}
