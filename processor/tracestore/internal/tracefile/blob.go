package tracefile

import "go.etcd.io/bbolt"

// A blob is a large value. It is in a bucket of its own: else a leaf of the tree would have up to four of them, and bbolt would
// write them all where one is added. bbolt keeps a small one in the leaf all the same.

var blobKey = []byte{0}

func putBlob(b *bbolt.Bucket, key, value []byte) error {
	own, err := b.CreateBucket(key)
	if err != nil {
		return err
	}
	return own.Put(blobKey, value)
}

// blob returns a value, nil where there is none.
func blob(b *bbolt.Bucket, key []byte) []byte {
	if own := b.Bucket(key); own != nil {
		return own.Get(blobKey)
	}
	return nil
}

func deleteBlob(b *bbolt.Bucket, key []byte) error { return b.DeleteBucket(key) }
