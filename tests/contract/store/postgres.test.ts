import { freshSchema, openStore, serverForFile } from './postgres.testing.ts';
import { storeContract } from './store-contract.ts';

const server = await serverForFile();

if (server !== undefined)
  for (const lanes of [1, 3]) {
    storeContract(`postgres, ${lanes} connections that write`, async () => {
      const schema = freshSchema();
      let store = await openStore(server, schema, { lanes });
      return {
        store,
        inOrder: lanes === 1,
        reopen: async () => {
          await store.close();
          store = await openStore(server, schema, { lanes });
          return store;
        },
        dispose: () => store.close(),
      };
    });
  }
