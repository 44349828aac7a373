export async function applyRefresh(): Promise<void> {}
