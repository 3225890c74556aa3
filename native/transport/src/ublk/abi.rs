//! Structures and numbers of `linux/ublk_cmd.h`, in the kernel's layout.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `_IOC(direction, 'u', number, size)`.
const fn command(direction: u32, number: u32, size: usize) -> u32 {
    direction << 30 | (size as u32) << 16 | (b'u' as u32) << 8 | number
}

const fn control(direction: u32, number: u32) -> u32 {
    command(direction, number, size_of::<ControlCommand>())
}

const READ: u32 = 2;
const READ_WRITE: u32 = 3;

pub const GET_DEV_INFO: u32 = control(READ, 0x02);
pub const ADD_DEV: u32 = control(READ_WRITE, 0x04);
pub const DEL_DEV: u32 = control(READ_WRITE, 0x05);
pub const START_DEV: u32 = control(READ_WRITE, 0x06);
pub const STOP_DEV: u32 = control(READ_WRITE, 0x07);
pub const SET_PARAMS: u32 = control(READ_WRITE, 0x08);
pub const START_USER_RECOVERY: u32 = control(READ_WRITE, 0x10);
pub const END_USER_RECOVERY: u32 = control(READ_WRITE, 0x11);
pub const GET_FEATURES: u32 = control(READ, 0x13);

/// Does not wait until nobody has the device open any more. Linux 6.9.
pub const DEL_DEV_ASYNC: u32 = control(READ, 0x14);

pub const FETCH_REQ: u32 = command(READ_WRITE, 0x20, size_of::<RequestCommand>());
pub const COMMIT_AND_FETCH_REQ: u32 = command(READ_WRITE, 0x21, size_of::<RequestCommand>());
/// Puts a request's pages among the buffers of the ring that this is given by. `address`: which buffer.
pub const REGISTER_IO_BUF: u32 = command(READ_WRITE, 0x23, size_of::<RequestCommand>());
pub const UNREGISTER_IO_BUF: u32 = command(READ_WRITE, 0x24, size_of::<RequestCommand>());

/// Of `DeviceInfo::state`; the others mean that the server is gone.
pub const STATE_DEAD: u16 = 0;
pub const STATE_LIVE: u16 = 1;

pub const FEATURE_ZERO_COPY: u64 = 1 << 0;
pub const FEATURE_USER_RECOVERY: u64 = 1 << 3;
pub const FEATURE_USER_RECOVERY_REISSUE: u64 = 1 << 4;
pub const FEATURE_IOCTL_ENCODING: u64 = 1 << 6;
pub const FEATURE_USER_COPY: u64 = 1 << 7;
/// Any thread may register a request's pages.
pub const FEATURE_BUFFERS_OFF_DAEMON: u64 = 1 << 14;

pub const OP_READ: u8 = 0;
pub const OP_WRITE: u8 = 1;
pub const OP_FLUSH: u8 = 2;
pub const OP_DISCARD: u8 = 3;
pub const OP_WRITE_ZEROES: u8 = 5;
/// Of `Request::operation`: on stable storage before it is answered.
pub const FLAG_FUA: u32 = 1 << 13;

pub const ATTRIBUTE_VOLATILE_CACHE: u32 = 1 << 2;
pub const ATTRIBUTE_FUA: u32 = 1 << 3;
pub const PARAMETERS_BASIC: u32 = 1 << 0;
pub const PARAMETERS_DISCARD: u32 = 1 << 1;

/// Where in the character device the descriptors of one queue begin: room for the deepest queue.
pub const DESCRIPTORS_STRIDE: usize = 4096 * size_of::<Request>();
/// Where in the character device the data of requests lies.
const DATA_AT: u64 = 0x8000_0000;

/// The position of a request's data in the character device.
pub fn data_position(queue: u16, tag: u16) -> u64 {
    DATA_AT + (u64::from(queue) << 41 | u64::from(tag) << 25)
}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
        pub struct $name { $(pub $field: $type),* }
    )*};
}

plain! {
    /// Of the control device. `queue` is -1 where no queue is meant.
    ControlCommand {
        device: u32, queue: u16, length: u16, address: u64, data: u64, path_length: u16, padding: u16,
        reserved: u32,
    }
    /// What a device is. `owner` is the server's own word, which the driver keeps.
    DeviceInfo {
        queues: u16, depth: u16, state: u16, padding: u16, max_request_bytes: u32, number: u32, server: i32,
        padding2: u32, features: u64, owner: u64, uid: u32, gid: u32, reserved: [u64; 2],
    }
    /// Of a queue, through the character device.
    RequestCommand { queue: u16, tag: u16, result: i32, address: u64 }
    /// What the kernel asks: a row of the table that the character device shows.
    Request { operation: u32, sectors: u32, first_sector: u64, address: u64 }
    Parameters {
        length: u32, types: u32,
        attributes: u32, logical_shift: u8, physical_shift: u8, optimal_shift: u8, minimum_shift: u8,
        max_sectors: u32, chunk_sectors: u32, sectors: u64, boundary_mask: u64,
        discard_alignment: u32, discard_granularity: u32, max_discard_sectors: u32,
        max_zeroes_sectors: u32, max_discard_segments: u16, padding: u16, padding2: u32,
    }
}

const _: () = {
    assert!(size_of::<ControlCommand>() == 32);
    assert!(size_of::<DeviceInfo>() == 64);
    assert!(size_of::<RequestCommand>() == 16);
    assert!(size_of::<Request>() == 24);
};
