package tracefile

import "go.etcd.io/bbolt"

// A blob is a large value. It has a bucket of its own: otherwise a leaf of the tree would have up to four of them, and adding
// one would make bbolt write them all. bbolt still keeps a small one in the leaf.

var blobKey = []byte{0}

func putBlob(b *bbolt.Bucket, key, value []byte) error {
	own, err := b.CreateBucket(key)
	if err != nil {
		return err
	}
	return own.Put(blobKey, value)
}

// blob returns a value, nil if there is none.
func blob(b *bbolt.Bucket, key []byte) []byte {
	if own := b.Bucket(key); own != nil {
		return own.Get(blobKey)
	}
	return nil
}

func deleteBlob(b *bbolt.Bucket, key []byte) error { return b.DeleteBucket(key) }

// blobBytes is the size from which on a value of updates is a blob.
const blobBytes = 8 << 10

// putUpdateValue stores a value in the bucket of updates, replacing an existing one.
func putUpdateValue(b *bbolt.Bucket, key, value []byte) error {
	if err := deleteUpdateValue(b, key); err != nil {
		return err
	}
	if len(value) < blobBytes {
		return b.Put(key, value)
	}
	return putBlob(b, key, value)
}

// updateValue returns a value of the bucket of updates, nil if there is none.
func updateValue(b *bbolt.Bucket, key []byte) []byte {
	if v := b.Get(key); v != nil {
		return v
	}
	return blob(b, key)
}

func deleteUpdateValue(b *bbolt.Bucket, key []byte) error {
	if b.Bucket(key) != nil {
		return deleteBlob(b, key)
	}
	return b.Delete(key)
}
