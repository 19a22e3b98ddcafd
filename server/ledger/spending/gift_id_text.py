"""A gift's id, as SQL writes it."""

GIFT_ID = "'w' || CASE WHEN shard < 10 THEN '0' ELSE '' END || shard || '-' || epoch || '-' || number"
"""As `GiftId` does, of a row's shard, epoch and number."""
