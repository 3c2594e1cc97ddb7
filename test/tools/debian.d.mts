export function onPath(command: string): string | undefined;
export function isDebianRoot(): boolean;
export function installDebian(...packages: string[]): Promise<string | undefined>;
