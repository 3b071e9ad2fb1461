/** The signals that say which bound a drawing has exceeded. By default they end a process, without a core dump. */
export const SIGNALS = { memory: 'SIGUSR2', time: 'SIGALRM' } as const;
