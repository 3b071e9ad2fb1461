import { gql } from '@apollo/client';
import { useMutation, useQuery, useSubscription } from '@apollo/client/react';

const IMAGES = gql`
  query Images($after: String) {
    medias(first: 24, after: $after, filter: { types: [IMAGE] }) {
      totalCount
      edges { node { id name url thumbnail { url } } }
      pageInfo { endCursor hasNextPage }
    }
  }
`;

const UPLOAD = gql`
  mutation Upload($file: Upload!) {
    uploadFile(input: { file: $file }) {
      ... on UploadFileSuccess { media { id name } }
      ... on Error { code message }
    }
  }
`;

const CHANGES = gql`
  subscription Changes {
    mediaChanged { kind id }
  }
`;

/** Shows the newest images, and an input that uploads one. */
export function Library() {
  const { data, error, fetchMore, refetch } = useQuery(IMAGES);
  const [upload, { data: uploaded, loading }] = useMutation(UPLOAD);
  useSubscription(CHANGES, { onData: () => void refetch() });
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return <p>Loading …</p>;
  const { edges, pageInfo, totalCount } = data.medias;
  return (
    <>
      <h1>Images ({totalCount})</h1>
      <label>
        Upload an image{' '}
        <input
          type="file"
          accept="image/*"
          onChange={({ target }) => upload({ variables: { file: target.files[0] } })}
        />
      </label>
      <p role="status">{loading ? 'Uploading …' : toMessage(uploaded?.uploadFile)}</p>
      <ul>
        {edges.map(({ node: { id, name, url, thumbnail } }) => (
          <li key={id}>
            <img src={thumbnail?.url ?? url} alt="" />
            {name}
          </li>
        ))}
      </ul>
      {pageInfo.hasNextPage && (
        <button
          type="button"
          onClick={() => fetchMore({ variables: { after: pageInfo.endCursor } })}
        >
          More
        </button>
      )}
    </>
  );
}

function toMessage(result) {
  if (!result) return '';
  return result.media ? `Uploaded ${result.media.name}.` : result.message;
}
