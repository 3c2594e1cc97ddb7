export async function garbage(_: { readonly port: number }): Promise<number> { return 0; }
