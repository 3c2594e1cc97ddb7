export async function opened(_: { readonly port: number }): Promise<number> { return 0; }
