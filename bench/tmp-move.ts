import { seedMillion } from './million-seed.ts';

await seedMillion(process.argv[2]!, Number(process.argv[3]));
