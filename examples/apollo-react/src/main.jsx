import { ApolloClient, InMemoryCache } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { relayStylePagination } from '@apollo/client/utilities';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { createRoot } from 'react-dom/client';
import { Library } from './library.jsx';

// Subscriptions go through the same link: Apollo Client reads them as a multipart response.
const link = new UploadHttpLink({
  uri: `${import.meta.env.VITE_TRIVIUM_URL ?? 'http://127.0.0.1:4000'}/graphql`,
  // Shows that no form of another site sends the request.
  headers: { 'apollo-require-preflight': 'true' },
});

const cache = new InMemoryCache({
  typePolicies: { Query: { fields: { medias: relayStylePagination(['filter', 'orderBy']) } } },
});

const client = new ApolloClient({ cache, link });

createRoot(document.querySelector('#root')).render(
  <ApolloProvider client={client}>
    <Library />
  </ApolloProvider>,
);
