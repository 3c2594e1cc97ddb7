export function cacheDirectory(): string;
export function provideGoProgram(
  program: {
    readonly name: string;
    readonly module?: string;
    readonly get: readonly string[];
    readonly source: string;
    readonly prepare?: (directory: string) => Promise<void>;
  },
  options?: { readonly build?: boolean },
): Promise<{ readonly path: string; readonly missing?: undefined } | { readonly missing: string }>;
