import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { relayStylePagination } from '@apollo/client/utilities';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { createRoot } from 'react-dom/client';
import { Library } from './library.jsx';

const options = {
  uri: `${import.meta.env.VITE_TRIVIUM_URL ?? 'http://127.0.0.1:4000'}/graphql`,
  // Shows that no form of another site sends the request.
  headers: { 'apollo-require-preflight': 'true' },
};

const link = ApolloLink.split(
  ({ operationType }) => operationType === 'subscription',
  new HttpLink(options),
  new UploadHttpLink(options),
);

const cache = new InMemoryCache({
  // The errors of an upload, so that `... on Error` matches them.
  possibleTypes: {
    Error: [
      'DigestMismatchError',
      'ForbiddenError',
      'InsufficientStorageError',
      'InvalidInputError',
      'NotAuthenticatedError',
      'NotFoundError',
      'QuotaExceededError',
      'TooLargeError',
      'UnsupportedMediaError',
    ],
  },
  typePolicies: { Query: { fields: { medias: relayStylePagination(['filter', 'orderBy']) } } },
});

const client = new ApolloClient({ cache, link });

createRoot(document.querySelector('#root')).render(
  <ApolloProvider client={client}>
    <Library />
  </ApolloProvider>,
);
